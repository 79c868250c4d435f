import { within } from '../../../chassis/index.ts';
import type { Fence } from '../../../chassis/index.ts';
import type { SideName } from '../../../routing/side.ts';
import type { HandoverRecord, JournalEntry, Lease, SideStore } from '../../ledger/store.ts';
import type { Readings, StepKind, Switcher } from './switcher.ts';

/** How the facades hear of a handover; a late or lost update costs time, never correctness. */
export interface Announcer {
  /** Ownership is about to move. */
  hold(handover: HandoverRecord): Promise<void>;
  /** It has moved, or has come back. */
  owner(handover: HandoverRecord, owner: SideName, epoch: number): Promise<void>;
}

/** How what is missing of the source's feed gets to the target, past every queue. */
export interface CatchUp {
  /** Applies everything up to a position, without pauses. */
  drainTo(position: number): Promise<void>;
  /** Makes what was applied survive a power cut; returns its position. */
  settle(): Promise<number>;
}

interface SwitcherOptions {
  readonly record: HandoverRecord;
  readonly source: SideStore;
  readonly target: SideStore;
  readonly lease: Lease;
  readonly announcer: Announcer;
  readonly catchUp: CatchUp;
  /** Waits until no write is under way at a source that can't say FENCED. @throws when that fails */
  readonly drain?: (() => Promise<void>) | undefined;
  /** Whether this engine still has its lease in the source. */
  readonly stillMine: () => Promise<boolean>;
  /** Called before a step takes effect: where a test may pull the plug. */
  readonly onStep?: (step: StepKind) => void | Promise<void>;
}

/** How long telling the facades may hold up a handover, in ms: who has not heard by then meets a fence. */
const HOLD_MS = 5;
const PUBLISH_MS = 20;
/** One stretch of catching up, in ms; deadlines are looked at in between. */
const CATCH_UP_MS = 50;

/** Carries out a handover on two databases. */
export class StoreSwitcher implements Switcher {
  readonly #options: SwitcherOptions;
  /**
   * Taken while writers wait, and journalled with the next step that writes anyway: a transaction of
   * their own would only keep the writers waiting. The fences are the truth, the journal is for people.
   */
  #taken: JournalEntry[] = [];
  #catchingUp: Promise<boolean> | undefined;

  constructor(options: SwitcherOptions) {
    this.#options = options;
  }

  async read(): Promise<Readings> {
    const { source, record } = this.#options;
    // The target first, as in the model: a source seen open afterwards was open all the while.
    const target = await this.#readTarget();
    const unfinished = await source.unfinishedHandover();
    return {
      ...target,
      source: await this.#given(),
      handover: unfinished?.id === record.id ? unfinished : null,
      deadline: record.deadline,
    };
  }

  async #readTarget(): Promise<Pick<Readings, 'target' | 'applied' | 'targetTrouble'>> {
    const { target, record } = this.#options;
    try {
      const [fences, applied] = await Promise.all([target.fences(), target.appliedPosition()]);
      return { target: fences.taking(record.keys), applied, targetTrouble: null };
    } catch (error) {
      // Taking back needs the source alone; going on after the commit point will try again.
      const targetTrouble = `the target can't be read: ${String(error)}`;
      return { target: { state: 'closed', epoch: 0 }, applied: 0, targetTrouble };
    }
  }

  async hold(): Promise<boolean> {
    await this.#note('hold');
    const { announcer, record, drain } = this.#options;
    await hint(announcer.hold(record), HOLD_MS);
    await drain?.();
    return true;
  }

  close(): Promise<boolean> {
    const { epoch } = this.#options.record;
    return this.#move('close', { state: 'open', epoch: epoch - 1 }, { state: 'closed', epoch });
  }

  async recordPosition(): Promise<boolean> {
    const { source, record, lease } = this.#options;
    await this.#options.onStep?.('recordPosition');
    return (await source.recordPosition(record.id, lease)) !== null;
  }

  async awaitApplied(position: number): Promise<boolean> {
    await this.#options.onStep?.('awaitApplied');
    // The target may be locked for long; deadlines are looked at in between, and one run is enough.
    this.#catchingUp ??= this.#catchUp(position).finally(() => {
      this.#catchingUp = undefined;
    });
    return (await within(CATCH_UP_MS, this.#catchingUp)) === true;
  }

  async #catchUp(position: number): Promise<boolean> {
    const { catchUp } = this.#options;
    await catchUp.drainTo(position);
    return (await catchUp.settle()) >= position;
  }

  cede(): Promise<boolean> {
    const { epoch } = this.#options.record;
    return this.#move('cede', { state: 'closed', epoch }, { state: 'ceded', epoch });
  }

  abort(from: 'open' | 'closed', reason: string): Promise<boolean> {
    const { epoch } = this.#options.record;
    const before: Fence = { state: from, epoch: from === 'open' ? epoch - 1 : epoch };
    return this.#move('abort', before, { state: 'open', epoch: epoch + 1 }, reason);
  }

  async open(): Promise<boolean> {
    await this.#note('open');
    const { target, record } = this.#options;
    return target.openAsTarget(record.epoch, record.keys);
  }

  async publish(): Promise<boolean> {
    await this.#note('publish');
    const { announcer, record, source, target } = this.#options;
    const { state, epoch } = await this.#given();
    const owner = state === 'open' ? source.side : target.side;
    await hint(announcer.owner(record, owner, epoch), PUBLISH_MS);
    return true;
  }

  async finish(outcome: 'done' | 'aborted'): Promise<boolean> {
    const { source, record, lease } = this.#options;
    await this.#options.onStep?.('finish');
    const entries = outcome === 'aborted' ? await source.journal(record.id) : [];
    const reason = entries.findLast(({ step }) => step === 'abort')?.detail ?? null;
    return source.finishHandover(record.id, outcome, reason, lease, this.#taken);
  }

  stillMine(): Promise<boolean> {
    return this.#options.stillMine();
  }

  /** What the fences that are given up say together. */
  async #given(): Promise<Fence> {
    const { source, record } = this.#options;
    return (await source.fences()).giving(record.keys, record.epoch);
  }

  async #note(step: StepKind): Promise<void> {
    const { record, onStep } = this.#options;
    await onStep?.(step);
    this.#taken.push({ handover: record.id, step, at: Date.now(), detail: null });
  }

  async #move(step: StepKind, from: Fence, to: Fence, detail?: string): Promise<boolean> {
    const { source, record, lease, onStep } = this.#options;
    await onStep?.(step);
    const text = detail ?? `${from.state} ${from.epoch} -> ${to.state} ${to.epoch}`;
    const entry = { handover: record.id, step, detail: text };
    const { keys } = record;
    const moved = await source.step(entry, lease, { from, to, keys }, this.#taken);
    if (moved) this.#taken = [];
    return moved;
  }
}

/** For what is only a hint: neither its failure nor its delay matters. */
async function hint(update: Promise<void>, ms: number): Promise<void> {
  await within(ms, update).catch(() => undefined);
}
