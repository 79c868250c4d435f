import type { Fence } from '../../chassis/index.ts';
import { decide } from '../ownership/handover/decide.ts';
import type { Action } from '../ownership/handover/decide.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import type { HandoverRecord } from '../ledger/store.ts';
import type { DatabaseFacts } from './facts.ts';

type Fences = Readonly<Record<SideName, Fence>>;

/** Both fences, as they are shown everywhere. */
export function fencesText({ legacy, extracted }: Fences): string {
  return `legacy is ${legacy.state} (${legacy.epoch}), extracted is ${extracted.state} (${extracted.epoch})`;
}

/** What both fences mean together. */
export function fenceStory(
  fences: Fences,
  unfinished: Pick<HandoverRecord, 'from' | 'to'> | null,
): string {
  const open = (['legacy', 'extracted'] as const).filter((side) => fences[side].state === 'open');
  const [owner] = open;
  if (open.length === 2) return 'both take writes, and neither sees those of the other';
  if (owner === undefined) {
    return unfinished
      ? `neither side takes writes: ownership is between ${unfinished.from} and ${unfinished.to}`
      : 'neither side takes writes, and no handover is under way that would change that';
  }
  return `${owner} owns it and takes the writes; ${otherSide(owner)} follows and refuses them`;
}

/** What happens next to an unfinished handover, by the function that the engine asks, too. */
export function nextOf(facts: DatabaseFacts): Action {
  const { fences, unfinished, targetApplied, now } = facts;
  if (!fences || !unfinished) return { kind: 'nothing' };
  return decide({
    source: fences[unfinished.from],
    target: fences[unfinished.to],
    handover: unfinished,
    applied: targetApplied,
    settled: false,
    abort: now > unfinished.deadline ? 'its deadline has passed' : null,
    held: true,
    published: false,
  });
}

/** The next step in plain words. */
export function nextStory({ from, to }: HandoverRecord, next: Action): string {
  switch (next.kind) {
    case 'close':
    case 'hold':
      return `it had not begun to take effect: ${from} is closed next, or it is taken back`;
    case 'recordPosition':
      return `${from} is closed, and its feed's last position is recorded next`;
    case 'awaitApplied':
    case 'cede':
      return `${to} has to apply everything up to position ${next.kind === 'awaitApplied' ? next.position : 'recorded'} and keep it safe; then ${from} cedes`;
    case 'abort':
      return `it is taken back, since ${next.reason}: ${from} is opened again`;
    case 'open':
      return `it is past its commit point: ${to} is opened next, and nothing can take it back`;
    case 'publish':
    case 'finish':
      return 'it is as good as done: the facades are told, and its outcome is recorded';
    case 'alarm':
      return next.reason;
    default:
      return 'nothing is left of it to do';
  }
}
