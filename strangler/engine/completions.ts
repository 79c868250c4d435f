import { randomUUID } from 'node:crypto';
import { errorText } from '../../chassis/index.ts';
import type { Logger } from '../../chassis/index.ts';
import {
  DryRunCompleter,
  judgeCompletion,
  runCompletion,
  StoreCompleter,
} from '../ownership/completion/index.ts';
import type {
  CompletionGateFacts,
  CompletionRecord,
  CompletionStep,
  RenamedTable,
} from '../ownership/completion/index.ts';
import type { Gate } from '../ownership/handover/gate.ts';
import type { Leases } from './leases.ts';
import { noticeWords, ownedSince } from './notices.ts';
import { ownersOf, restOf } from '../replication/direction.ts';
import { fencesIn, readFacts, unfinishedHandoverIn } from '../sides/facts.ts';
import type { OpenCapability } from './open-capability.ts';
import type { RoutingPublisher } from './routing-publisher.ts';
import { completedTruth } from './routing-truth.ts';
import { ownerOf } from '../ownership/owner.ts';
import type { Shares } from '../../routing/index.ts';

/** How old a completion may be that was interrupted before its seal, to be gone on with; in ms. */
const DEADLINE_MS = 10 * 60_000;

interface CompletionsOptions {
  readonly opened: OpenCapability;
  readonly leases: Leases;
  readonly publisher: RoutingPublisher;
  readonly log: Logger;
  /** Legacy tables of other capabilities in the same database, with their owner. */
  readonly foreignTables: ReadonlyMap<string, string>;
  readonly onCompletionStep?: (capability: string, step: CompletionStep) => void | Promise<void>;
}

/** Another engine has taken over, and goes on with it. */
export class CompletionLost extends Error {
  override readonly name = 'CompletionLost';
}

/** A completion that came to its end. */
interface Completed {
  readonly outcome: 'done' | 'aborted';
  /** Why it was taken back. */
  readonly reason: string | null;
}

/** Takes the last step of one capability: closes the way back and retires the legacy tables. */
export class Completions {
  readonly #options: CompletionsOptions;

  constructor(options: CompletionsOptions) {
    this.#options = options;
  }

  /** The one that has no outcome yet. */
  async unfinished(): Promise<CompletionRecord | undefined> {
    const record = await this.#options.opened.sides.legacy.retirement.completion();
    return record?.outcome === null ? record : undefined;
  }

  get tables(): readonly RenamedTable[] {
    return this.#options.opened.sides.legacy.retirement.tables();
  }

  /** Judges all that must hold before it may begin. */
  async judge(shares: Shares | null): Promise<readonly Gate<string>[]> {
    const { soakMs = 0, quietMs = 0 } = this.#options.opened.declaration.completion ?? {};
    return judgeCompletion(await this.#facts(shares), { soakMs, quietMs });
  }

  /** The steps it would take, in order; changes nothing. */
  async plan(): Promise<readonly string[]> {
    const { capability } = this.#options.opened.data;
    const completer = new DryRunCompleter({ capability, tables: this.tables });
    await runCompletion(completer);
    return completer.lines;
  }

  /**
   * Begins one and runs it to its end. The gates are the caller's business.
   * @throws CompletionLost, or what keeps it from its end: the next look at it goes on from there
   */
  async begin(): Promise<Completed> {
    const { opened, leases } = this.#options;
    const record: CompletionRecord = {
      id: randomUUID(),
      capability: opened.data.capability,
      startedAt: Date.now(),
      sealedAt: null,
      finishedAt: null,
      outcome: null,
      reason: null,
    };
    const lease = leases.held?.legacy;
    if (!lease || !(await opened.sides.legacy.retirement.begin(record, lease))) {
      throw new Error('another engine, or another completion, is at work');
    }
    return this.#run(record);
  }

  /** Goes on with one that a crash left behind, or takes it back; says which. */
  async resume(record: CompletionRecord): Promise<Completed> {
    const { log, opened } = this.#options;
    const { capability } = opened.data;
    const ended = await this.#run(record, record.startedAt + DEADLINE_MS);
    const outcome = ended.outcome === 'done' ? 'finished' : 'taken back';
    log.warn({ capability, ...ended }, `an interrupted completion was ${outcome}`);
    return ended;
  }

  async #run(record: CompletionRecord, deadline?: number): Promise<Completed> {
    const { opened, leases, log, onCompletionStep } = this.#options;
    const { legacy, extracted } = opened.sides;
    const { capability } = opened.data;
    const lease = leases.held?.legacy;
    if (!lease) throw new Error('the lease is gone');
    const completer = new StoreCompleter({
      record,
      legacy: legacy.retirement,
      extracted: extracted.retirement,
      lease,
      words: await noticeWords(opened, readFacts(opened.sides)),
      compare: () => this.#compare(),
      stopFeed: () => opened.data.halt(),
      tellFacades: () => this.#tellFacades(),
      stillMine: () => leases.holds('legacy'),
      ...(onCompletionStep ? { onStep: (step) => onCompletionStep(capability, step) } : {}),
    });
    const { outcome, reason } = await runCompletion(completer, deadline);
    if (outcome === 'lost') throw new CompletionLost(reason ?? 'another engine has taken over');
    if (outcome === 'stuck') throw new Error(reason ?? `${capability} can't be completed now`);
    if (outcome === 'done') log.info({ capability }, `${capability} is complete`);
    else log.warn({ capability, reason }, `${capability} was not completed`);
    return { outcome, reason };
  }

  async #compare(): Promise<string | null> {
    const { clean, pairs } = await this.#options.opened.data.reconcile();
    if (clean) return null;
    const differ = pairs.reduce(
      (sum, { missing, extra, different, unsettled }) =>
        sum + missing + extra + different + unsettled,
      0,
    );
    return `the last comparison found ${differ} rows that differ`;
  }

  async #tellFacades(): Promise<void> {
    const { opened, publisher } = this.#options;
    await publisher.tell(
      opened.data.capability,
      completedTruth(await fencesIn(readFacts(opened.sides))),
    );
  }

  async #facts(shares: Shares | null): Promise<CompletionGateFacts> {
    const { opened, foreignTables } = this.#options;
    const { retirement } = opened.sides.legacy;
    const blank: CompletionGateFacts = {
      capability: opened.data.capability,
      trouble: null,
      owner: null,
      moving: false,
      keys: 0,
      ownedSince: null,
      broken: null,
      parked: 0,
      drift: [],
      shares,
      reader: null,
      obstacles: [],
      now: Date.now(),
    };
    try {
      const facts = readFacts(opened.sides);
      const { legacy, extracted } = facts;
      const { problem } = await opened.data.status(facts);
      const fences = await fencesIn(facts);
      return {
        ...blank,
        owner: ownerOf(restOf(fences)),
        keys: ownersOf(fences).size,
        moving: (await unfinishedHandoverIn(facts)) !== undefined,
        ownedSince: await ownedSince(facts),
        broken: problem?.message ?? null,
        parked: await legacy.parkedCount(),
        drift: [...(await legacy.drift()), ...(await extracted.drift())],
        reader: await retirement.reader(),
        obstacles: await retirement.obstacles(foreignTables),
      };
    } catch (error) {
      return { ...blank, trouble: errorText(error) };
    }
  }
}
