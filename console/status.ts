import type { ConsoleState, Traffic } from '../facade/admin/index.ts';
import type { LiveStatus } from '../strangler/engine/index.ts';
import type { Live } from './live.ts';
import { duration } from '../chassis/text/index.ts';
import { age, count, percent, plural } from './words.ts';

export type Side = 'legacy' | 'extracted';
export const SIDES: readonly Side[] = ['legacy', 'extracted'];
export type FacadeView = ConsoleState['facade']['capabilities'][number];

/** What both facade and engine say of one capability. */
export interface Capability {
  readonly name: string;
  /** Undefined where no rows move: then the flag alone decides. */
  readonly status: LiveStatus | undefined;
  readonly facade: FacadeView | undefined;
  readonly traffic: Readonly<Record<Side, Traffic | undefined>>;
}

/** All capabilities, in the order of the configuration. */
export function capabilitiesOf({ state, engine }: Live): readonly Capability[] {
  if (!state) return [];
  const { capabilities, traffic } = state.facade;
  const statuses = engine?.status.capabilities ?? [];
  return capabilities.map((facade) => {
    const of = (side: Side): Traffic | undefined =>
      traffic.find((one) => one.capability === facade.name && one.side === side);
    return {
      name: facade.name,
      facade,
      status: statuses.find(({ capability }) => capability === facade.name),
      traffic: { legacy: of('legacy'), extracted: of('extracted') },
    };
  });
}

export function otherSide(side: Side): Side {
  return side === 'legacy' ? 'extracted' : 'legacy';
}

/** The side that owns the writes: what the fences say; where no rows move, what the facade goes by. */
export function ownerOf({ status, facade }: Capability): Side | null {
  return status ? status.owner : (facade?.owner ?? null);
}

/** The share of present requests that a side answers; null while there are none. */
export function shareOf({ traffic }: Capability, side: Side): number | null {
  const all = SIDES.reduce((sum, one) => sum + (traffic[one]?.perSecond ?? 0), 0);
  return all === 0 ? null : (traffic[side]?.perSecond ?? 0) / all;
}

/** Why a person should look; null where all is well. */
export function alarmOf({ status }: Capability): string | null {
  if (!status) return null;
  const { trouble, broken, parked, demand, drift, wayBack } = status;
  if (status.stage === 'alarm') return 'there is not exactly one owner';
  if (trouble.length > 0) return trouble.join('; ');
  if (broken !== null) return `changes can’t be applied: ${broken}`;
  if (parked) return `${plural(parked.changes, 'change')} could not be applied: ${parked.reason}`;
  if (drift.length > 0) return drift.join('; ');
  if (demand) return demand.reason;
  return wayBack?.safe === false ? `no way back: ${wayBack.reason}` : null;
}

/** A station on a capability's way out of the monolith. */
export interface Stop {
  readonly name: string;
  readonly what: string;
  readonly is: 'done' | 'now' | 'next' | 'later';
  /** How it went, or how far it is. */
  readonly figure: string;
  readonly wrong: boolean;
}

const FRESH_MS = 10 * 60_000;
const STOP_OF_VERB: Readonly<Record<string, string>> = {
  backfill: 'copy',
  shadow: 'shadow',
  ramp: 'ramp',
  reconcile: 'compare',
  switch: 'switch',
  complete: 'complete',
};

/** The way of a capability, from the copy of its rows to the end of its legacy tables. */
export function stopsOf(status: LiveStatus, now: number): readonly Stop[] {
  const { stage, shares, reconcile, backfill, backfillRun, lastHandover, owner } = status;
  const isOut = owner === 'extracted' || stage === 'complete' || stage === 'completing';
  const isOver = stage === 'complete';
  const reads = shares?.reads ?? 0;
  const shadow = shares?.shadow ?? 0;
  const isCopied = isOut || backfill.state === 'done';
  const isFresh = reconcile?.clean === true && now - reconcile.at < FRESH_MS;
  const verb = status.nextSteps[0]?.command.split(' ')[1] ?? '';
  const next = STOP_OF_VERB[verb];
  const stop = (
    name: string,
    what: string,
    isDone: boolean,
    isNow: boolean,
    figure = '',
    wrong = false,
  ): Stop => {
    const is = isNow ? 'now' : isDone ? 'done' : next === name ? 'next' : 'later';
    return { name, what, is, figure, wrong };
  };
  const running = backfill.state === 'running' && !isOut;
  return [
    stop(
      'copy',
      'the owner’s rows are copied, and followed',
      isCopied,
      running,
      running
        ? `${percent(backfill.total > 0 ? backfill.rows / backfill.total : 0)}${etaText(backfillRun?.etaMs)}`
        : backfill.rows > 0
          ? plural(backfill.rows, 'row')
          : '',
      running && backfillRun?.problem !== null && backfillRun !== null,
    ),
    stop('shadow', 'answers of both sides are compared', isOut || shadow > 0, false, `${shadow} %`),
    stop(
      'ramp',
      'reads move over',
      isOut || reads === 100,
      !isOut && reads > 0 && reads < 100,
      `${reads} %`,
    ),
    stop(
      'compare',
      'all rows of both sides are compared',
      isOut || isFresh,
      false,
      reconcile ? `${reconcile.clean ? 'equal' : 'differ'}, ${age(now - reconcile.at)}` : 'never',
      reconcile?.clean === false,
    ),
    stop(
      'switch',
      'the writes move over',
      isOut && stage !== 'moving',
      stage === 'moving',
      isOut && lastHandover?.to === 'extracted' && lastHandover.holdMs !== null
        ? `held ${duration(lastHandover.holdMs)}`
        : '',
    ),
    stop(
      'soak',
      'the way back stays open',
      isOver || stage === 'completing',
      stage === 'switched',
      stage === 'switched' && lastHandover?.finishedAt
        ? duration(now - lastHandover.finishedAt)
        : '',
      status.wayBack?.safe === false,
    ),
    stop('complete', 'the way back is closed', isOver, stage === 'completing'),
  ];
}

function etaText(etaMs: number | null | undefined): string {
  return etaMs === null || etaMs === undefined ? '' : `, ${duration(etaMs)} left`;
}

/** What a capability waits for, in words; null where its next command may be given. */
export function waitOf({
  gates,
  owner,
  intent,
  backfillRun,
  backfill,
  moving,
  nextSteps,
}: LiveStatus): { readonly text: string; readonly mend: string | null } | null {
  if (moving) return { text: 'a handover is under way', mend: null };
  if (backfill.state === 'running' && backfillRun?.running) {
    return {
      text: `the copy: ${count(backfill.rows)} of ${count(backfill.total)} rows`,
      mend: null,
    };
  }
  const first = gates?.find((gate) => !gate.ok && !gate.untried);
  const switches = nextSteps[0]?.command.startsWith('fig switch') === true;
  if (intent.to !== null && intent.to !== owner && intent.refused && !intent.refused.ok) {
    const { reason, next } = intent.refused;
    return { text: `the flag asks for ${intent.to}, and waits: ${reason}`, mend: next };
  }
  if (first && !first.ok && owner === 'legacy' && !switches) {
    return { text: `a switch would wait: ${first.reason}`, mend: first.next };
  }
  return null;
}
