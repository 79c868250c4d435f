import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../chassis/index.ts';
import type { StepLimits } from '../handover/coordinator.ts';
import { checkGates, defaultGateLimits } from '../handover/gates.ts';
import type { Gate, GateLimits } from '../handover/gates.ts';
import { Intent } from '../handover/intent.ts';
import type { StepKind } from '../handover/switcher.ts';
import type { Flags } from '../routing/index.ts';
import type { SideName } from '../side.ts';
import { readGateFacts } from './gate-facts.ts';
import { Handovers } from './handovers.ts';
import type { HandoverOutcome } from './handovers.ts';
import { Leases } from './leases.ts';
import { Mutex } from './mutex.ts';
import type { Plane } from './plane.ts';
import type { RoutingPublisher } from './routing-publisher.ts';
import { ownerOf } from './stage.ts';

const TICK_MS = 200;
const RETRY_MS = 300;
const STUCK_MS = 1_000;
const REPUBLISH_MS = 1_000;

export interface StewardOptions {
  readonly capability: string;
  /** Opens both databases; fails while one of them does not exist yet. */
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

/** What has become of the flags' wish. */
export interface IntentView {
  readonly to: SideName | null;
  /** Why it is not tried again until the flag is turned, or somebody asks in person. */
  readonly spent: string | null;
  /** The gate that keeps it from being done. */
  readonly refused: Gate | null;
}

/** Everything needed to act, once this engine leads. */
interface Command {
  readonly plane: Plane;
  readonly handovers: Handovers;
}

/**
 * Looks after one capability: waits for its databases, leads or stands by, finishes what a crash
 * left behind, tells the facades what is true, and drives the truth towards the flags.
 */
export class Steward {
  readonly capability: string;
  readonly #options: StewardOptions;
  readonly #mutex = new Mutex();
  readonly #intent = new Intent();
  readonly #stopping = new AbortController();
  #plane: Plane | undefined;
  #command: Command | undefined;
  #standing: Standing = { as: 'waiting', reason: 'it has just started' };
  #refused: Gate | null = null;
  #lost = false;
  #wake = new AbortController();
  #toldAt = 0;
  #told = '';
  #life: Promise<void> | undefined;

  constructor(options: StewardOptions) {
    this.capability = options.capability;
    this.#options = options;
  }

  get plane(): Plane | undefined {
    return this.#plane;
  }

  get standing(): Standing {
    return this.#standing;
  }

  get intent(): IntentView {
    const { flags } = this.#options;
    return {
      to: flags.loaded() ? this.#wanted() : null,
      spent: this.#intent.spent ?? null,
      refused: this.#refused,
    };
  }

  start(): void {
    const stopListening = this.#options.flags.onChange(() => this.#wake.abort());
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
    return this.#mutex.run(async () => (this.#command ? work(this.#command) : undefined));
  }

  /** Why a handover to a side may not begin now, or that it may. */
  async gate(plane: Plane, to: SideName): Promise<Gate> {
    const { gateLimits = defaultGateLimits } = this.#options;
    return checkGates(await readGateFacts(plane, to), gateLimits);
  }

  /** Hands over, once the gates have been looked at; for use in `act`. */
  async handOver({ handovers }: Command, to: SideName): Promise<HandoverOutcome> {
    this.#intent.renew();
    const wish = this.#intent.see(to);
    const outcome = await handovers.begin(to);
    if (outcome.outcome === 'aborted') {
      this.#intent.spend(wish, outcome.reason ?? 'the handover was taken back');
    }
    this.#toldAt = 0;
    return outcome;
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
    const { holder, log, capability } = this.#options;
    const plane = (this.#plane ??= this.#options.open());
    if (!(await isInstalled(plane))) await plane.data.install();
    const leases = new Leases(
      { legacy: plane.sides.legacy.store, extracted: plane.sides.extracted.store },
      holder,
      this.#options.leaseMs,
    );
    this.#lost = false;
    const led = await leases.take(() => {
      this.#lost = true;
      this.#wake.abort();
    });
    if (!led) {
      if (this.#standing.as !== 'standby')
        log.info({ capability }, 'another engine leads; standing by');
      this.#standing = { as: 'standby' };
      return;
    }
    try {
      // As the leader only: a newer engine that stands by must not change triggers under an older.
      await plane.data.install();
      await plane.data.start();
      await this.#lead({ plane, handovers: new Handovers({ ...this.#options, plane, leases }) });
    } finally {
      this.#command = undefined;
      await leases.release();
      await this.#close();
    }
  }

  async #close(): Promise<void> {
    const plane = this.#plane;
    this.#plane = undefined;
    await plane?.data.stop();
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
    const { plane, handovers } = command;
    const unfinished = await handovers.unfinished();
    if (unfinished) {
      const { outcome, reason, record } = await handovers.resume(unfinished);
      if (outcome === 'lost') this.#lost = true;
      if (outcome === 'stuck') return STUCK_MS;
      if (outcome === 'aborted' && this.#wanted() === record.to) {
        this.#intent.spend(this.#intent.see(record.to), reason ?? 'the handover was taken back');
      }
      this.#toldAt = 0;
    }
    await this.#tell(plane);
    await this.#drive(command);
    return TICK_MS;
  }

  #wanted(): SideName {
    return this.#options.flags.isEnabled(`${this.capability}.writes`) ? 'extracted' : 'legacy';
  }

  /** Moves the truth towards the flags, if that is safe; else says why not, once for each reason. */
  async #drive(command: Command): Promise<void> {
    const { flags, log, capability } = this.#options;
    // Flags that were never read are off, which asks for nothing.
    if (!flags.loaded()) return;
    const wish = this.#intent.see(this.#wanted());
    const owner = await ownerNow(command.plane);
    if (owner === wish.to || this.#intent.spent !== undefined) {
      this.#refused = null;
      return;
    }
    const gate = await this.gate(command.plane, wish.to);
    if (!gate.ok) {
      if (JSON.stringify(this.#refused) !== JSON.stringify(gate)) {
        log.warn(
          { capability, to: wish.to, ...gate },
          'the flag asks for a handover that is not safe yet',
        );
      }
      this.#refused = gate;
      return;
    }
    this.#refused = null;
    log.info({ capability, to: wish.to }, 'the flag asks for a handover');
    await this.handOver(command, wish.to);
    await this.#tell(command.plane);
  }

  /** Tells the facades what is true, when it is news and once a second. */
  async #tell(plane: Plane): Promise<void> {
    const { capability, publisher } = this.#options;
    const fences = await fencesOf(plane);
    const owner = ownerOf(fences);
    const epoch = Math.max(fences.legacy.epoch, fences.extracted.epoch);
    const replicaReady = owner !== null && (await this.#replicaReady(plane, owner));
    const truth = { owner, epoch, replicaReady, holding: owner === null };
    const text = JSON.stringify(truth);
    if (text === this.#told && performance.now() - this.#toldAt < REPUBLISH_MS) return;
    this.#told = text;
    this.#toldAt = performance.now();
    await publisher.tell(capability, truth);
  }

  async #replicaReady(plane: Plane, owner: SideName): Promise<boolean> {
    const { lagMs } = this.#options.gateLimits ?? defaultGateLimits;
    const { replicaReady, owner: seen, feed } = await plane.data.status();
    return seen === owner && replicaReady && feed.lagMs <= lagMs;
  }

  #wait(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const known = this.#standing.as === 'waiting' && this.#standing.reason === reason;
    if (!known)
      this.#options.log.warn({ capability: this.capability, reason }, 'not ready; trying again');
    this.#standing = { as: 'waiting', reason };
  }
}

async function isInstalled(plane: Plane): Promise<boolean> {
  const { legacy, extracted } = plane.sides;
  return Boolean((await legacy.installation()) && (await extracted.installation()));
}

async function fencesOf({
  sides,
}: Plane): Promise<Record<SideName, { state: 'open' | 'closed' | 'ceded'; epoch: number }>> {
  return {
    legacy: await sides.legacy.store.fence(),
    extracted: await sides.extracted.store.fence(),
  };
}

async function ownerNow(plane: Plane): Promise<SideName | null> {
  return ownerOf(await fencesOf(plane));
}
