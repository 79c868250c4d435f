import { randomUUID } from 'node:crypto';
import type { Logger } from '../../chassis/index.ts';
import { defaultLimits, runHandover } from '../ownership/handover/machine.ts';
import type { HandoverResult, StepLimits } from '../ownership/handover/machine.ts';
import { DryRunSwitcher } from '../ownership/handover/dry-run.ts';
import { StoreSwitcher } from '../ownership/handover/store-switcher.ts';
import type { Announcer } from '../ownership/handover/store-switcher.ts';
import type { StepKind } from '../ownership/handover/switcher.ts';
import type { Keys } from '../ownership/fence-rows.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import type { HandoverRecord, Lease } from '../ledger/store.ts';
import { fencesIn, readFacts, unfinishedHandoverIn } from '../sides/facts.ts';
import type { Facts } from '../sides/facts.ts';
import { plural } from '../wording.ts';
import { epochAfter } from './epoch-after.ts';
import type { Leases } from './leases.ts';
import { drainsFirst } from './open-capability.ts';
import type { OpenCapability } from './open-capability.ts';
import { moveSequences } from './sequences.ts';
import { holdOf } from './handover-view.ts';
import { OVERRULED } from './standing-refusal.ts';

/** How long a handover may take to its commit point, in ms; taken back by whoever sees it later. */
const DEADLINE_MS = 10_000;
/** Of each side's handovers, when one is looked for. */
const LOOKED_THROUGH = 20;

export interface HandoverOutcome extends HandoverResult {
  readonly record: HandoverRecord;
}

/** Journalled with the error that keeps a handover from being finished. */
const TROUBLE = 'trouble';

interface HandoversOptions {
  readonly opened: OpenCapability;
  readonly leases: Leases;
  readonly publisher: Announcer;
  readonly log: Logger;
  readonly limits?: StepLimits;
  readonly onStep?: (capability: string, step: StepKind) => void | Promise<void>;
}

/** Runs the handovers of one capability, one at a time; forward and back are the same. */
export class Handovers {
  readonly #options: HandoversOptions;
  #running: { readonly id: string; abort: string | null } | undefined;
  #trouble: { readonly id: string; readonly reason: string } | undefined;

  constructor(options: HandoversOptions) {
    this.#options = options;
  }

  /** The handover that has no outcome yet, in whichever database it began. */
  unfinished(): Promise<HandoverRecord | undefined> {
    return unfinishedHandoverIn(readFacts(this.#options.opened.sides));
  }

  /**
   * Moves ownership to a side. The gates are the caller's business.
   * @param keys the keys to move, all of which the other side owns; null: everything that it owns
   * @param overrules whether it is done whatever the flag asks for, which then has to be turned to count
   */
  async begin(to: SideName, keys: Keys = null, overrules = false): Promise<HandoverOutcome> {
    const { opened, leases } = this.#options;
    const from = otherSide(to);
    const source = opened.sides[from].store;
    const epoch = epochAfter(await fencesIn(readFacts(opened.sides)), from, keys);
    const now = Date.now();
    const record: HandoverRecord = {
      id: randomUUID(),
      capability: opened.data.capability,
      from,
      to,
      epoch,
      deadline: now + DEADLINE_MS,
      position: null,
      outcome: null,
      reason: null,
      startedAt: now,
      finishedAt: null,
      keys,
    };
    const lease = leases.held?.[from];
    const ready = await this.#split(to, keys);
    if (!lease || !ready || !(await source.beginHandover(record, lease))) {
      return this.#notBegun(record);
    }
    if (overrules) {
      const detail = 'a person moved it, whatever the flag asks for';
      await source.step({ handover: record.id, step: OVERRULED, detail }, lease);
    }
    return this.#run(record);
  }

  /** Where an earlier one is in the way, that one's own error is the answer. */
  async #notBegun(record: HandoverRecord): Promise<HandoverOutcome> {
    const earlier = await this.unfinished();
    if (earlier) return this.inTheWay(earlier);
    const reason = 'another engine has taken over';
    return { record, outcome: 'lost', reason, holdMs: null, steps: [] };
  }

  /** What an unfinished handover means for the next one. */
  inTheWay(earlier: HandoverRecord): HandoverOutcome {
    const why = this.troubleOf(earlier.id) ?? 'it is under way';
    const reason = `a handover to ${earlier.to} is not finished yet: ${why}`;
    return { record: earlier, outcome: 'stuck', reason, holdMs: null, steps: [] };
  }

  /** The error that keeps an unfinished handover from being finished; null when none is known. */
  troubleOf(id: string): string | null {
    return this.#trouble?.id === id ? this.#trouble.reason : null;
  }

  /** The target first: what is begun at the source must find its fences there. */
  #split(to: SideName, keys: Keys): Promise<boolean> | boolean {
    const { opened, leases } = this.#options;
    if (keys === null) return true;
    const lease = leases.held?.[to];
    return lease !== undefined && opened.sides[to].store.split(keys, lease);
  }

  /**
   * Has the handover that runs taken back, if that can still be.
   * @returns whether it runs here: then its outcome tells what became of it
   */
  askAbort(id: string, reason: string): boolean {
    if (this.#running?.id !== id) return false;
    this.#running.abort ??= reason;
    return true;
  }

  /** One of the newest handovers, of either side. */
  async find(id: string): Promise<HandoverRecord | undefined> {
    const { legacy, extracted } = this.#options.opened.sides;
    for (const { store } of [legacy, extracted]) {
      const found = (await store.recentHandovers(LOOKED_THROUGH)).find((one) => one.id === id);
      if (found) return found;
    }
    return undefined;
  }

  /**
   * Goes on with a handover that a crash left behind, or takes it back; says which.
   * @param abort why somebody wants it taken back
   */
  async resume(record: HandoverRecord, abort: string | null = null): Promise<HandoverOutcome> {
    const { opened, leases, log } = this.#options;
    const { id, capability, from, to, epoch } = record;
    const source = opened.sides[from].store;
    const fence = (await source.fences()).giving(record.keys, epoch);
    const lease = leases.held?.[from];
    const found = `found with ${from} ${fence.state} at epoch ${fence.epoch}`;
    if (lease) await source.step({ handover: id, step: 'resume', detail: found }, lease);
    const outcome = await this.#run(record, abort);
    const fields = { capability, handover: id, from, to, epoch, found };
    if (outcome.outcome === 'done') log.warn(fields, 'an interrupted handover was finished');
    if (outcome.outcome === 'aborted') {
      log.warn({ ...fields, reason: outcome.reason }, 'an interrupted handover was taken back');
    }
    return outcome;
  }

  /** The steps a handover to a side would take now, in order; changes nothing. */
  async plan(facts: Facts, to: SideName, keys: Keys = null): Promise<readonly string[]> {
    const { data } = this.#options.opened;
    const from = otherSide(to);
    const fences = await fencesIn(facts);
    const { position, applied } = await facts.lagBehind(from);
    const switcher = new DryRunSwitcher({
      what: keys === null ? data.capability : `${plural(keys.length, 'key')} of ${data.capability}`,
      from,
      source: fences[from].giving(keys, epochAfter(fences, from, keys)),
      target: fences[to].taking(keys),
      position,
      applied,
      drains: drainsFirst(this.#options.opened, from),
    });
    await runHandover(switcher);
    return switcher.lines;
  }

  async #run(record: HandoverRecord, abort: string | null = null): Promise<HandoverOutcome> {
    const { opened, leases, publisher, log, limits = defaultLimits, onStep } = this.#options;
    const { capability, from, to } = record;
    const lease = leases.held?.[from];
    if (!lease) {
      return { record, outcome: 'lost', reason: 'the lease is gone', holdMs: null, steps: [] };
    }
    const switcher = new StoreSwitcher({
      record,
      source: opened.sides[from].store,
      target: opened.sides[to].store,
      lease,
      announcer: publisher,
      catchUp: {
        drainTo: (position) => opened.data.drainTo(position, from),
        settle: async () => {
          const settled = await opened.sides[to].flush();
          // Everything is there: from here on ids come from the target's own generators.
          await moveSequences(opened.data.mapping, opened.sides[from], opened.sides[to]);
          return settled;
        },
      },
      drain: drainsFirst(opened, from)
        ? () => opened.facades.finished(capability, record.epoch, limits.drainMs)
        : undefined,
      stillMine: () => leases.holds(from),
      ...(onStep ? { onStep: (step) => onStep(capability, step) } : {}),
    });
    const running = { id: record.id, abort };
    this.#running = running;
    const { legacy, extracted } = opened.sides;
    const taken = await legacy.atHighPriority(() =>
      extracted.atHighPriority(() => runHandover(switcher, limits, () => running.abort)),
    );
    const result = await this.#withHold(record, taken);
    this.#running = undefined;
    await this.#noteTrouble(record, result, lease);
    await opened.data.ownerChanged();
    this.#say(record, result, log);
    return { ...result, record };
  }

  /** A hold has one length: that of the journal, which is what everybody else is told. */
  async #withHold({ id, from }: HandoverRecord, result: HandoverResult): Promise<HandoverResult> {
    if (result.outcome !== 'done') return result;
    const journal = await this.#options.opened.sides[from].store.journal(id).catch(() => []);
    return { ...result, holdMs: holdOf(journal) ?? result.holdMs };
  }

  /** In the journal, too, as far as that can be written: the next engine, and the command line, look there. */
  async #noteTrouble(
    { id, from }: HandoverRecord,
    { outcome, reason }: HandoverResult,
    lease: Lease,
  ): Promise<void> {
    const before = this.troubleOf(id);
    this.#trouble =
      outcome === 'stuck' ? { id, reason: reason ?? 'no reason is known' } : undefined;
    if (this.#trouble === undefined || this.#trouble.reason === before) return;
    const { store } = this.#options.opened.sides[from];
    const entry = { handover: id, step: TROUBLE, detail: this.#trouble.reason };
    await store.step(entry, lease).catch(() => false);
  }

  #say(record: HandoverRecord, result: HandoverResult, log: Logger): void {
    const { capability, from, to, epoch, id } = record;
    const { outcome, reason, holdMs } = result;
    const keys = record.keys?.length ?? null;
    const moved = { ...(keys === null ? {} : { keys }), handover: id, from, to, epoch };
    const fields = { capability, ...moved, outcome, reason, holdMs };
    const what = keys === null ? capability : `${plural(keys, 'key')} of ${capability}`;
    if (outcome === 'done') log.info(fields, `${what} now belongs to ${to}`);
    else if (outcome === 'aborted') log.warn(fields, `${what} stays with ${from}`);
    else log.error(fields, `the handover of ${what} is ${outcome}`);
  }
}
