import type { Finding } from '../doctor/index.ts';
import type { CapabilityStatus } from '../engine/index.ts';
import { flagsOf, isSwitch } from '../../routing/index.ts';
import type { FlagReadings } from '../../routing/index.ts';

/** What a flag is held against. */
export type FlagState = Pick<CapabilityStatus, 'owner' | 'backfill' | 'cohorts'>;

type Remedy = Finding['remedies'][number];

const PLAIN = { remedies: [], repair: null } as const;

/**
 * What is wrong with a capability's flags: those that are not made, that conditions of others decide, or that
 * contradict who owns the capability and what is copied.
 * @param state undefined for a capability of which no rows move
 */
export function flagContradictions(
  capability: string,
  flags: FlagReadings,
  state: FlagState | undefined,
): readonly Finding[] {
  const each = flagsOf(capability).flatMap((flag) => ofFlag(capability, flag, flags, state));
  return state === undefined ? each : [...each, ...againstState(capability, flags, state)];
}

function ofFlag(
  capability: string,
  flag: string,
  flags: FlagReadings,
  state: FlagState | undefined,
): readonly Finding[] {
  const { kind, conditions } = flags.rule(flag);
  if (kind === 'missing') {
    const why = isSwitch(flag)
      ? 'it asks for nothing, so ownership stays where it is'
      : 'it counts as 0 %';
    const remedies = [remedyForMissing(flag, state)];
    return [
      {
        ...PLAIN,
        code: 'flag_missing',
        capability,
        level: 'notice',
        what: `${flag} is not made yet`,
        why,
        remedies,
      },
    ];
  }
  // Of a switch, `switch_refused` says so.
  if (conditions === null || isSwitch(flag)) return [];
  const what = `${flag} is on for ${conditions}`;
  const why =
    'conditions that Fig did not set decide, so the share is the most it can be; a request that names no customer fits none';
  const remedies = [
    { command: `fig flags set ${flag} 0`, reason: 'turns it off, and leaves its strategies alone' },
  ];
  return [{ ...PLAIN, code: 'flag_conditional', capability, level: 'notice', what, why, remedies }];
}

/** A switch that is made off asks for legacy, so an owner that can't be read is no reason to make it. */
function remedyForMissing(flag: string, state: FlagState | undefined): Remedy {
  if (isSwitch(flag) && state !== undefined && state.owner === null) {
    return { command: 'fig status', reason: 'says who owns it, before the flag asks for an owner' };
  }
  const value = isSwitch(flag) ? (state?.owner === 'extracted' ? 'on' : 'off') : '0';
  return { command: `fig flags set ${flag} ${value}`, reason: 'makes it, with what holds today' };
}

function againstState(
  capability: string,
  flags: FlagReadings,
  { owner, backfill, cohorts }: FlagState,
): readonly Finding[] {
  const findings: Finding[] = [];
  const asks = ['reads', 'shadow'].filter((name) => flags.rule(`${capability}.${name}`).share > 0);
  if (owner === 'legacy' && cohorts === null && backfill.state !== 'done' && asks.length > 0) {
    findings.push({
      ...PLAIN,
      code: 'flag_before_copy',
      capability,
      level: 'broken',
      what: `${asks.map((name) => `${capability}.${name}`).join(' and ')} asked for before the copy is complete`,
      why: 'the new side lacks rows, so facades read from the owner meanwhile; the share takes effect when the copy is complete',
      remedies: [
        { command: `fig backfill ${capability}`, reason: 'completes the copy' },
        ...asks.map((name) => ({
          command: `fig flags set ${capability}.${name} 0`,
          reason: 'asks for nothing until then',
        })),
      ],
    });
  }
  const { on } = flags.switch(`${capability}.writes`);
  if (on === null || owner === null || on === (owner === 'extracted')) return findings;
  const asked = on ? 'extracted' : 'legacy';
  findings.push({
    ...PLAIN,
    code: 'flag_contradicts_owner',
    capability,
    level: 'broken',
    what: `${capability}.writes is ${on ? 'on' : 'off'}, which asks for ${asked}; ${owner} owns it`,
    why: 'a handover is under way, waits for its gates, or was refused; fig status says which',
    remedies: [
      { command: 'fig status', reason: 'says why it has not moved' },
      {
        command: `fig flags set ${capability}.writes ${on ? 'off' : 'on'}`,
        reason: `where ${owner} is to stay the owner`,
      },
    ],
  });
  return findings;
}
