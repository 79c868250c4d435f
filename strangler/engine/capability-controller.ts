import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import { errorText } from '../../chassis/index.ts';
import type { Logger } from '../../chassis/index.ts';
import type { StepLimits } from '../ownership/handover/machine.ts';
import type { GateLimits } from '../ownership/handover/gates.ts';
import type { CompletionRecord, CompletionStep } from '../ownership/completion/index.ts';
import type { StepKind } from '../ownership/handover/switcher.ts';
import { UnfitMappingError } from '../check/schema-check.ts';
import type { Flags, FlagStore } from '../../routing/index.ts';
import { Completions } from './completions.ts';
import { FlagReconciler } from './flag-reconciler.ts';
import type { LeaderContext } from './flag-reconciler.ts';
import { Handovers } from './handovers.ts';
import { Leases } from './leases.ts';
import type { Mapping } from '../mapping/index.ts';
import type { SideName } from '../../routing/side.ts';
import type { SideStore } from '../ledger/store.ts';
import { RoutingUpdates } from './routing-updates.ts';
import { Notices } from './notices.ts';
import { fencesIn, readFacts } from '../sides/facts.ts';
import type { OpenCapability } from './open-capability.ts';
import type { RoutingPublisher } from './routing-publisher.ts';
import { completedTruth } from './routing-truth.ts';
import { notLeading } from './refusals.ts';
import { waitingReason } from './standing.ts';
import type { Standing } from './standing.ts';
import type { Sides } from './status.ts';
import { WayBackWatch } from './way-back-watch.ts';
import { RestoreDetector } from './restore-detector.ts';

/** How long after a look at everything the next one comes, in ms: a change of a flag and an order come at once. */
const TICK_MS = 200;
const QUIET_TICK_MS = 1_000;
const RETRY_MS = 300;
const STUCK_MS = 1_000;
const ANNOUNCE_MS = 1_000;

export interface ControllerOptions {
  readonly capability: string;
  readonly mapping: Mapping;
  /** Opens both databases; throws while one of them does not exist yet. */
  readonly open: () => OpenCapability;
  readonly flags: Flags;
  readonly flagStore?: FlagStore | undefined;
  readonly publisher: RoutingPublisher;
  readonly log: Logger;
  readonly holder: () => string;
  readonly leaseMs?: number;
  readonly limits?: StepLimits;
  readonly gateLimits?: GateLimits;
  readonly onStep?: (capability: string, step: StepKind) => void | Promise<void>;
  /** Legacy tables of other capabilities in the same database, with their owner. */
  readonly foreignTables: ReadonlyMap<string, string>;
  readonly onCompletionStep?: (capability: string, step: CompletionStep) => void | Promise<void>;
}

/** What a leading engine has on top of what anybody needs who acts. */
interface ControllerContext extends LeaderContext {
  readonly completions: Completions;
}

/**
 * Looks after one capability: waits for its databases, leads or stands by, finishes what a crash
 * left behind, tells the facades what is true, and drives the truth towards the flags.
 */
export class CapabilityController {
  readonly capability: string;
  readonly flags: Flags;
  /** Where its flags can be turned; undefined where a server keeps them and won't be asked. */
  readonly flagStore: FlagStore | undefined;
  readonly log: Logger;
  readonly reconciler: FlagReconciler;
  readonly #options: ControllerOptions;
  readonly #updates: RoutingUpdates;
  readonly #notices = new Notices();
  readonly #restoreDetector: RestoreDetector;
  readonly #wayBackWatch: WayBackWatch;
  readonly #inTurn = pLimit(1);
  readonly #stopping = new AbortController();
  #opened: OpenCapability | undefined;
  #context: ControllerContext | undefined;
  #standing: Standing = { as: 'waiting', reason: 'it has just started' };
  #lost = false;
  #wake = new AbortController();
  #life: Promise<void> | undefined;

  constructor(options: ControllerOptions) {
    this.capability = options.capability;
    this.flags = options.flags;
    this.flagStore = options.flagStore;
    this.log = options.log;
    this.reconciler = new FlagReconciler(options);
    this.#options = options;
    this.#restoreDetector = new RestoreDetector(options.capability, options.log);
    this.#wayBackWatch = new WayBackWatch(options);
    this.#updates = new RoutingUpdates(options.capability, options.publisher, options.gateLimits);
  }

  get mapping(): Mapping {
    return this.#options.mapping;
  }

  /** Both databases, while they are open. */
  get opened(): OpenCapability | undefined {
    return this.#opened;
  }

  /** Both databases; while they are not open, why. */
  get sides(): Sides {
    const reason = waitingReason(this.#standing);
    return this.#opened?.sides ?? { legacy: new Error(reason), extracted: new Error(reason) };
  }

  get standing(): Standing {
    return this.#standing;
  }

  start(): void {
    const stopListening = this.#options.flags.onChange(() => {
      this.reconciler.flagsChanged();
      this.#wake.abort();
    });
    this.#life = this.#live().finally(stopListening);
  }

  /** Lets a handover under way come to its end, then gives everything back. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake.abort();
    await this.#life;
    await this.#close();
  }

  /** Runs `work` while nothing else acts on the capability. @throws Problem 503 when this engine may not */
  act<T>(work: (context: ControllerContext) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      if (!this.#context) throw notLeading(this);
      const result = await work(this.#context);
      this.#updates.forget();
      return result;
    });
  }

  /** Has what the databases say looked at as if this engine had just started. */
  startOver(): void {
    this.#lost = true;
    this.#wake.abort();
  }

  /** Has a handover taken back that runs at this moment; `act` only comes after it. */
  askAbort(id: string, reason: string): void {
    this.#context?.handovers.askAbort(id, reason);
  }

  /** The error that keeps a handover from being finished; null when none is known. */
  troubleOf(id: string): string | null {
    return this.#context?.handovers.troubleOf(id) ?? null;
  }

  async #live(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#serve();
      } catch (error) {
        this.#wait(error);
      }
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Leads until the lease is lost or the engine stops; returns at once when it may not lead. */
  async #serve(): Promise<void> {
    const { holder, leaseMs } = this.#options;
    const opened = (this.#opened ??= this.#options.open());
    if (!(await this.#prepare(opened))) return;
    const completion = await completionOf(opened);
    if (completion?.outcome === 'done') {
      await this.#announceComplete(opened, completion);
      return;
    }
    const { legacy, extracted } = opened.sides;
    const stores = { legacy: legacy.store, extracted: extracted.store };
    const leases = new Leases(stores, holder(), leaseMs);
    this.#lost = false;
    const led = await leases.take(() => {
      this.#lost = true;
      this.#wake.abort();
    });
    if (!led) {
      await this.#standBy(legacy.store);
      return;
    }
    const completions = new Completions({ ...this.#options, opened, leases });
    try {
      if (completion?.outcome === null && completion.sealedAt !== null) {
        // Its tables may be gone, and nothing is to be carried any more.
        await completions.resume(completion);
        return;
      }
      // As the leader only: a newer engine that stands by must not change triggers under an older.
      await opened.data.install();
      const handovers = new Handovers({ ...this.#options, opened, leases });
      // What a restored owner was told since must not reach the other side, which knows what it has lost.
      if (!(await handovers.unfinished())) await this.#restoreDetector.look(opened, leases);
      await opened.data.start();
      await this.#lead({ opened, handovers, completions, leases });
    } finally {
      // In turn: a command may still be at work.
      await this.#inTurn(async () => {
        this.#context = undefined;
      });
      await leases.release();
      await this.#close();
    }
  }

  /**
   * Installs Fig's tables where a side lacks them. If only one side has them, a `fig uninstall` may be under
   * way, so the engine first takes the lease of that side.
   * @returns whether they are there
   */
  async #prepare({ sides, data }: OpenCapability): Promise<boolean> {
    const installed = await installedStores(sides);
    if (installed.legacy && installed.extracted) return true;
    const { holder, leaseMs } = this.#options;
    const leases = new Leases(installed, holder(), leaseMs);
    if (!(await leases.take(() => undefined))) {
      await this.#standBy(installed.legacy ?? installed.extracted);
      return false;
    }
    try {
      await data.install();
      return true;
    } finally {
      await leases.release();
    }
  }

  async #lead(context: ControllerContext): Promise<void> {
    const { log, capability } = this.#options;
    log.info({ capability }, 'leading');
    this.#context = context;
    while (!this.#stopping.signal.aborted && !this.#lost) {
      this.#wake = new AbortController();
      const next = await this.#inTurn(() => this.#tick(context));
      this.#standing = { as: 'leader' };
      await delay(next, undefined, { signal: this.#wake.signal }).catch(() => undefined);
    }
    if (this.#lost) log.warn({ capability }, 'no longer leading; another engine may');
  }

  /** All there is to do is to go on telling where it is. */
  async #announceComplete(opened: OpenCapability, { finishedAt }: CompletionRecord): Promise<void> {
    const { log, capability, publisher } = this.#options;
    const truth = completedTruth(await fencesIn(readFacts(opened.sides)));
    this.#standing = { as: 'complete', since: finishedAt ?? 0, epoch: truth.epoch };
    log.info({ capability }, 'complete');
    while (!this.#stopping.signal.aborted) {
      await publisher.tell(capability, truth);
      const { signal } = this.#stopping;
      await delay(ANNOUNCE_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One look at everything; returns after how many ms the next one is due. */
  async #tick(context: ControllerContext): Promise<number> {
    const unfinished = await context.handovers.unfinished();
    if (unfinished) {
      const outcome = await context.handovers.resume(unfinished);
      this.reconciler.resumed(outcome);
      this.#updates.forget();
      if (outcome.outcome === 'lost') this.#lost = true;
      if (outcome.outcome === 'stuck') return STUCK_MS;
    }
    await this.#goOn(context);
    await this.#restoreDetector.look(context.opened, context.leases);
    const { opened } = context;
    const { isCalm } = this.#restoreDetector;
    const facts = readFacts(opened.sides);
    const isStill = await this.#updates.publish(opened, facts, isCalm);
    const isAtRest = await this.reconciler.drive(context, facts);
    // It may have moved what the facts are about.
    const later = isAtRest ? facts : readFacts(opened.sides);
    if (!isAtRest) await this.#updates.publish(opened, later, isCalm);
    await this.#wayBackWatch.look(opened, later);
    await this.#notices.keep(opened, later);
    return isAtRest && isStill ? QUIET_TICK_MS : TICK_MS;
  }

  /** A completion that was interrupted before its seal: nothing has changed yet. */
  async #goOn({ completions }: ControllerContext): Promise<void> {
    const interrupted = await completions.unfinished();
    if (!interrupted) return;
    const result = await completions.resume(interrupted);
    if (result.outcome === 'done') this.startOver();
  }

  async #close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    await opened?.data.stop();
  }

  /** @param store where the lease is that somebody else has */
  async #standBy(store: SideStore | undefined): Promise<void> {
    const { log, capability } = this.#options;
    const view = await store?.lease().catch(() => null);
    const leader = view?.holder ?? null;
    if (this.#standing.as !== 'standby') {
      log.info({ capability, leader }, 'another engine leads; standing by');
    }
    this.#standing = { as: 'standby', leader };
  }

  #wait(error: unknown): void {
    const { log, capability } = this.#options;
    const reason = errorText(error);
    const known = this.#standing.as === 'waiting' && this.#standing.reason === reason;
    if (!known) log.warn({ capability, reason }, 'not ready; trying again');
    const unfit = error instanceof UnfitMappingError;
    this.#standing = { as: 'waiting', reason, ...(unfit ? { unfit } : {}) };
  }
}

/** The stores of the sides that have Fig's tables. */
async function installedStores(
  sides: OpenCapability['sides'],
): Promise<Readonly<Partial<Record<SideName, SideStore>>>> {
  const stores: Partial<Record<SideName, SideStore>> = {};
  for (const database of [sides.legacy, sides.extracted]) {
    if (await database.installation()) stores[database.side] = database.store;
  }
  return stores;
}

/**
 * The newest completion. Whoever can't read it must not act: after the point of no return triggers
 * would be put where none may be.
 */
async function completionOf({
  sides,
  data,
}: OpenCapability): Promise<CompletionRecord | undefined> {
  try {
    return await sides.legacy.retirement.completion();
  } catch (error) {
    const told = `it is unknown whether ${data.capability} was completed: ${errorText(error)}`;
    throw new Error(told, { cause: error });
  }
}
