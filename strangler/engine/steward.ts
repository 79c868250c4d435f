import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../chassis/index.ts';
import type { StepLimits } from '../handover/coordinator.ts';
import type { GateLimits } from '../handover/gates.ts';
import type { StepKind } from '../handover/switcher.ts';
import type { Flags } from '../routing/index.ts';
import { Driver } from './driver.ts';
import type { Command } from './driver.ts';
import { Handovers } from './handovers.ts';
import { Leases } from './leases.ts';
import { Mutex } from '../mutex.ts';
import { News } from './news.ts';
import type { Plane } from './plane.ts';
import type { RoutingPublisher } from './routing-publisher.ts';

const TICK_MS = 200;
const RETRY_MS = 300;
const STUCK_MS = 1_000;

export interface StewardOptions {
  readonly capability: string;
  /** Opens both databases; throws while one of them does not exist yet. */
  readonly open: () => Plane;
  readonly flags: Flags;
  readonly publisher: RoutingPublisher;
  readonly log: Logger;
  readonly holder: string;
  readonly leaseMs?: number;
  readonly limits?: StepLimits;
  readonly gateLimits?: GateLimits;
  readonly onStep?: (capability: string, step: StepKind) => void | Promise<void>;
}

/** Whether this engine acts on the capability. */
export type Standing =
  | { readonly as: 'waiting'; readonly reason: string }
  | { readonly as: 'standby' }
  | { readonly as: 'leader' };

/**
 * Looks after one capability: waits for its databases, leads or stands by, finishes what a crash
 * left behind, tells the facades what is true, and drives the truth towards the flags.
 */
export class Steward {
  readonly capability: string;
  readonly driver: Driver;
  readonly #options: StewardOptions;
  readonly #news: News;
  readonly #mutex = new Mutex();
  readonly #stopping = new AbortController();
  #plane: Plane | undefined;
  #command: Command | undefined;
  #standing: Standing = { as: 'waiting', reason: 'it has just started' };
  #lost = false;
  #wake = new AbortController();
  #life: Promise<void> | undefined;

  constructor(options: StewardOptions) {
    this.capability = options.capability;
    this.driver = new Driver(options);
    this.#options = options;
    this.#news = new News(options.capability, options.publisher, options.gateLimits);
  }

  /** Both databases, while they are open. */
  get plane(): Plane | undefined {
    return this.#plane;
  }

  get standing(): Standing {
    return this.#standing;
  }

  start(): void {
    const stopListening = this.#options.flags.onChange(() => {
      this.driver.flagsChanged();
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

  /** Runs `work` while nothing else acts on the capability; undefined when this engine may not. */
  act<T>(work: (command: Command) => Promise<T>): Promise<T | undefined> {
    return this.#mutex.run(async () => {
      if (!this.#command) return undefined;
      const result = await work(this.#command);
      this.#news.forget();
      return result;
    });
  }

  /** Has a handover taken back that runs at this moment; `act` only comes after it. */
  askAbort(id: string, reason: string): void {
    this.#command?.handovers.askAbort(id, reason);
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
    const plane = (this.#plane ??= this.#options.open());
    if (!(await isInstalled(plane))) await plane.data.install();
    const { legacy, extracted } = plane.sides;
    const stores = { legacy: legacy.store, extracted: extracted.store };
    const leases = new Leases(stores, holder, leaseMs);
    this.#lost = false;
    const led = await leases.take(() => {
      this.#lost = true;
      this.#wake.abort();
    });
    if (!led) {
      this.#standBy();
      return;
    }
    try {
      // As the leader only: a newer engine that stands by must not change triggers under an older.
      await plane.data.install();
      await plane.data.start();
      await this.#lead({ plane, handovers: new Handovers({ ...this.#options, plane, leases }) });
    } finally {
      // In turn: somebody may still be acting.
      await this.#mutex.run(async () => {
        this.#command = undefined;
      });
      await leases.release();
      await this.#close();
    }
  }

  async #lead(command: Command): Promise<void> {
    const { log, capability } = this.#options;
    log.info({ capability }, 'leading');
    this.#command = command;
    while (!this.#stopping.signal.aborted && !this.#lost) {
      this.#wake = new AbortController();
      const next = await this.#mutex.run(() => this.#tick(command));
      this.#standing = { as: 'leader' };
      await delay(next, undefined, { signal: this.#wake.signal }).catch(() => undefined);
    }
    if (this.#lost) log.warn({ capability }, 'the lease is lost; another engine may lead now');
  }

  /** One look at everything; returns after how many ms the next one is due. */
  async #tick(command: Command): Promise<number> {
    const unfinished = await command.handovers.unfinished();
    if (unfinished) {
      const outcome = await command.handovers.resume(unfinished);
      this.driver.resumed(outcome);
      this.#news.forget();
      if (outcome.outcome === 'lost') this.#lost = true;
      if (outcome.outcome === 'stuck') return STUCK_MS;
    }
    await this.#news.tell(command.plane);
    await this.driver.drive(command);
    await this.#news.tell(command.plane);
    return TICK_MS;
  }

  async #close(): Promise<void> {
    const plane = this.#plane;
    this.#plane = undefined;
    await plane?.data.stop();
  }

  #standBy(): void {
    const { log, capability } = this.#options;
    if (this.#standing.as !== 'standby') {
      log.info({ capability }, 'another engine leads; standing by');
    }
    this.#standing = { as: 'standby' };
  }

  #wait(error: unknown): void {
    const { log, capability } = this.#options;
    const reason = error instanceof Error ? error.message : String(error);
    const known = this.#standing.as === 'waiting' && this.#standing.reason === reason;
    if (!known) log.warn({ capability, reason }, 'not ready; trying again');
    this.#standing = { as: 'waiting', reason };
  }
}

async function isInstalled({ sides }: Plane): Promise<boolean> {
  const installed = [await sides.legacy.installation(), await sides.extracted.installation()];
  return installed.every((side) => side !== undefined);
}
