import { duration } from '../../chassis/text/index.ts';
import { wayBackOf } from '../engine/way-back-state.ts';
import type { CapabilityStatus, HandoverView, LiveStatus } from '../engine/index.ts';
import type { Shares } from '../../routing/index.ts';
import { fencesText, fenceStory } from '../doctor/fence-story.ts';
import { plural, someOf } from '../wording.ts';
import { copiedText } from './copied-text.ts';
import { ago } from '../../chassis/cli/index.ts';
import type { Paint } from '../../chassis/cli/index.ts';
import { gatesLine } from './gates-text.ts';
import { nextSteps } from '../engine/next-step.ts';

/** How long the steps of a handover that is over are still shown, in ms. */
const FRESH_MS = 10_000;

/** A status with or without what only a running engine knows. */
export type ShownStatus = CapabilityStatus & Partial<LiveStatus>;

/**
 * The whole of `fig status`: a tree with one branch a capability.
 * @param isWatched whether the steps of a handover that is just over are shown, too
 */
export function statusText(
  source: readonly string[],
  all: readonly ShownStatus[],
  paint: Paint,
  isWatched = false,
): string {
  const head = source.map((line) => paint('dim', line)).join('\n');
  return [head, ...all.map((status) => capabilityText(status, paint, isWatched))].join('\n\n');
}

function capabilityText(status: ShownStatus, paint: Paint, isWatched: boolean): string {
  const { capability, stage, owner, epoch } = status;
  const colour = stage === 'alarm' ? 'red' : stage === 'switched' ? 'green' : 'cyan';
  const head = `${paint('bold', capability)}  ${paint(colour, stage)}  owner ${owner ?? 'none'}, epoch ${epoch}`;
  const leaves = branches(status, paint, isWatched).filter(([, text]) => text !== null);
  const lines = leaves.flatMap(([name, text, more = []], index) => {
    const isLast = index === leaves.length - 1;
    const [corner, stem] = isLast ? ['└─', '  '] : ['├─', '│ '];
    const under = more.map((line) => `${paint('dim', stem)} ${' '.repeat(9)}  ${line}`);
    return [`${paint('dim', corner)} ${name.padEnd(9)}  ${text ?? ''}`, ...under];
  });
  return [head, ...lines].join('\n');
}

type Branch = readonly [name: string, text: string | null, more?: readonly string[]];

function branches(status: ShownStatus, paint: Paint, isWatched: boolean): Branch[] {
  const { shares, trouble } = status;
  return [
    ['alarm', alarmText(status, paint)],
    ['shares', sharesText(shares)],
    ['cohorts', cohortsText(status)],
    ['lag', lagText(status)],
    ['backfill', backfillText(status)],
    ['reconcile', reconcileText(status)],
    ['gates', gatesLine(status.gates)],
    ['handover', handoverText(status), stepLines(status, isWatched)],
    ['intent', intentText(status)],
    ['broken', status.broken ?? null],
    ['parked', parkedText(status)],
    ['schema', schemaText(status, paint)],
    ['trouble', trouble.length > 0 ? trouble.join('; ') : null],
    ['watch', watchText(status)],
    // Nothing has to come after a switch; what matters then is that there is a way back.
    status.stage === 'switched' || wayBackOf(status)?.safe === false
      ? ['way back', wayBackText(status, paint)]
      : ['next', nextSteps(status)[0]?.command ?? null],
  ];
}

/** What the business has changed, and how to go on; no gate opens before. */
function schemaText({ drift, capability }: ShownStatus, paint: Paint): string | null {
  if (drift.length === 0) return null;
  const next = `bring the mapping in line, then fig check ${capability} --accept`;
  return `${paint('red', drift.join('; '))}; ${next}`;
}

/** What the flags ask for, with what the figures alone do not tell. */
export function sharesText(shares: ShownStatus['shares']): string {
  if (shares === null) return 'not known: the flags were never read';
  const { writes, conditions } = shares;
  const asked = writes === null ? 'asks for nothing' : writes ? 'on' : 'off';
  const refused = conditions.writes === undefined ? '' : `: ${conditions.writes}`;
  return `${readsText(shares)}, writes ${asked}${refused}`;
}

/** The same without the writes, which move only with rows. */
export function readsText({ shadow, reads, conditions }: Shares): string {
  return `shadow ${conditions.shadow ?? `${shadow} %`}, reads ${conditions.reads ?? `${reads} %`}`;
}

/** Whose writes are not where those of the rest are. */
function cohortsText({ cohorts }: ShownStatus): string | null {
  if (cohorts === null) return null;
  const sides = (['legacy', 'extracted', 'nobody'] as const).filter((side) => cohorts[side].length);
  return sides.map((side) => `${side}: ${someOf(cohorts[side])}`).join('; ');
}

function wayBackText(status: ShownStatus, paint: Paint): string | null {
  const wayBack = wayBackOf(status);
  if (wayBack === null || wayBack.safe) return `fig reverse ${status.capability}`;
  return `${paint('red', 'ROLLBACK UNSAFE')}: ${wayBack.reason}; ${wayBack.next}`;
}

function watchText({ trespass }: ShownStatus): string | null {
  if (trespass === null) return null;
  const newest =
    trespass.newest === null ? '' : `, the newest ${ago(Date.now() - trespass.newest)}`;
  return `${plural(trespass.writes, 'write')} bypassed the application${newest}`;
}

/** What nobody may overlook. */
function alarmText({ stage, fences, demand }: ShownStatus, paint: Paint): string | null {
  const { legacy, extracted } = fences;
  if (stage === 'alarm' && legacy && extracted) {
    const both = { legacy, extracted };
    return paint('red', `${fencesText(both)}: ${fenceStory(both, null)}`);
  }
  return demand && paint('red', `both sides have to be compared as a whole: ${demand.reason}`);
}

/** Of a handover that is under way, or was a moment ago, each step with the time since its begin. */
function stepLines({ moving, lastHandover }: ShownStatus, isWatched: boolean): readonly string[] {
  const fresh =
    isWatched && Date.now() - (lastHandover?.finishedAt ?? 0) < FRESH_MS ? lastHandover : null;
  const shown = moving ?? fresh;
  if (!shown) return [];
  return shown.steps.map(({ step, at, detail }) =>
    `+${duration(at - shown.startedAt)} ${step}${detail === null ? '' : `  ${detail}`}`.trimEnd(),
  );
}

function lagText({ lag }: ShownStatus): string | null {
  return lag && `${plural(lag.changes, 'change')}, ${duration(lag.ms)}`;
}

function backfillText({ backfill, backfillRun }: ShownStatus): string {
  const { state, rows } = backfill;
  if (backfillRun?.problem) return `stopped: ${backfillRun.problem}`;
  if (state === 'none') return 'none';
  // The old owner's copy was never copied: it has been whole all the while.
  if (state === 'done') return rows > 0 ? `done, ${plural(rows, 'row')}` : 'done';
  return copiedText(backfill, backfillRun);
}

function reconcileText({ reconcile }: ShownStatus): string {
  if (!reconcile) return 'never';
  return `${reconcile.clean ? 'clean' : 'differences found'}, ${ago(reconcile.ageMs)}`;
}

function parkedText({ parked }: ShownStatus): string | null {
  if (parked === null) return null;
  const { changes, reason, since } = parked;
  return `${plural(changes, 'change')}, the first ${ago(Date.now() - since)}: ${reason}`;
}

function handoverText({ moving, lastHandover }: ShownStatus): string {
  if (moving)
    return `${whatMoves(moving)}${moving.from} -> ${moving.to} under way for ${duration(Date.now() - moving.startedAt)}`;
  if (!lastHandover) return 'none yet';
  const { from, to, outcome, reason, finishedAt, startedAt, holdMs } = lastHandover;
  const way = `${whatMoves(lastHandover)}${from} -> ${to}`;
  const when = ago(Date.now() - (finishedAt ?? startedAt));
  if (outcome === 'aborted') return `${way} taken back ${when}: ${reason ?? ''}`;
  return `${way} done ${when}${holdMs === null ? '' : `, hold ${duration(holdMs)}`}`;
}

function whatMoves({ keys }: Pick<HandoverView, 'keys'>): string {
  return keys === null ? '' : `${plural(keys.length, 'customer')}, `;
}

function intentText({ intent, owner, capability }: ShownStatus): string | null {
  if (!intent || intent.to === null || intent.to === owner) return null;
  if (intent.spent !== null) {
    const verb = intent.to === 'extracted' ? 'switch' : 'reverse';
    return `${intent.to}, not tried again: ${intent.spent}; turn ${capability}.writes off and on, or fig ${verb} ${capability}`;
  }
  const { refused } = intent;
  if (!refused || refused.ok) return intent.to;
  const next = refused.next === null ? '' : `; ${refused.next}`;
  return `${intent.to}, waits for gate "${refused.gate}": ${refused.reason}${next}`;
}
