import { START_COMMAND } from '../../chassis/index.ts';
import type { DatabaseFacts, EngineFacts } from './facts.ts';
import type { Finding } from './finding.ts';
import { finding } from './findings/case.ts';
import { SIDES } from '../../routing/side.ts';
import type { Case } from './findings/case.ts';
import { deadEngine, unfulfilled } from './findings/engine.ts';
import { interrupted } from './findings/handover.ts';
import { keyOwners, owners } from './findings/ownership.ts';
import { olderSelf } from './findings/restored-backup.ts';
import { dangling, demanded, drifted, lostFeed, parkedChanges } from './findings/rows.ts';

/**
 * Says what is wrong with a capability, and what helps; the gravest first. Pure.
 * @param late why the engine's port takes connections and sends no answer in time; null where it does not
 */
export function diagnose(
  facts: DatabaseFacts,
  engine: EngineFacts | null,
  late: string | null = null,
): readonly Finding[] {
  const one = { facts, engine, late };
  const unreadable = [...unreachable(one), ...notInstalled(one)];
  if (unreadable.length > 0) return [...unreadable, ...deadEngine(one)];
  if (facts.completion !== null) return completing(one);
  const undecided = [...owners(one), ...keyOwners(one), ...olderSelf(one)];
  const waits = undecided.some(({ level }) => level === 'decision');
  return [
    ...undecided,
    ...interrupted(one),
    ...drifted(one),
    ...lostFeed(one),
    ...demanded(one),
    ...parkedChanges(one),
    ...dangling(one),
    ...deadEngine(one, waits),
    ...unfulfilled(one),
  ];
}

function unreachable(one: Case): readonly Finding[] {
  return SIDES.flatMap((side) => {
    const reason = one.facts.trouble[side];
    if (reason === undefined) return [];
    const why = `without it nothing can be said of ${one.facts.capability}, moved or mended`;
    const remedies = [{ command: 'fig config print', reason: 'shows where it should be' }];
    return [finding(one, 'database_unreachable', { what: reason, why, remedies })];
  });
}

function notInstalled(one: Case): readonly Finding[] {
  const missing = SIDES.filter(
    (side) => one.facts.trouble[side] === undefined && !one.facts.installed[side],
  );
  if (missing.length === 0) return [];
  const what = `nothing of Fig is installed on ${missing.join(' and ')}`;
  const why =
    missing.length === 2
      ? 'an engine installs it when it first starts'
      : 'one side alone is fenced: an engine puts the other one back when it starts, or the database was replaced';
  const remedies = [{ command: START_COMMAND, reason: 'the engine installs what is missing' }];
  return [finding(one, 'not_installed', { what, why, remedies })];
}

function completing(one: Case): readonly Finding[] {
  const { completion, capability } = one.facts;
  if (completion === 'done' || one.engine !== null) return [];
  const what = 'its last step was begun and is not done';
  const why = 'an engine goes on with it where it was interrupted';
  const remedies = [
    { command: START_COMMAND, reason: 'the engine goes on' },
    { command: `fig complete ${capability}`, reason: 'tells how far it is' },
  ];
  return [finding(one, 'completion_interrupted', { what, why, remedies })];
}
