import type { Logger } from '../../chassis/index.ts';
import { restOf } from '../replication/direction.ts';
import type { Fences } from '../replication/direction.ts';
import type { Refusal } from '../ownership/handover/gate.ts';
import { refusalOf } from '../ownership/handover/gates.ts';
import type { GateLimits } from '../ownership/handover/gates.ts';
import { Intent } from '../ownership/handover/intent.ts';
import type { Flags } from '../../routing/index.ts';
import type { SideName } from '../../routing/side.ts';
import type { HandoverRecord } from '../ledger/store.ts';
import { Gates } from './gates.ts';
import type { HandoverOutcome, Handovers } from './handovers.ts';
import type { Leases } from './leases.ts';
import { fencesIn } from '../sides/facts.ts';
import type { Facts } from '../sides/facts.ts';
import type { OpenCapability } from './open-capability.ts';
import { ownerOf } from '../ownership/owner.ts';
import { markTurned, standingRefusal } from './standing-refusal.ts';

/** Everything needed to act on a capability, for whoever has its leases. */
export interface LeaderContext {
  readonly opened: OpenCapability;
  readonly handovers: Handovers;
  readonly leases: Leases;
}

/** What has become of the flags' wish. */
export interface IntentView {
  readonly to: SideName | null;
  /** Why it is not tried again until the flag is turned, or somebody asks in person. */
  readonly spent: string | null;
  /** The gate that keeps it from being done. */
  readonly refused: Refusal | null;
}

interface FlagReconcilerOptions {
  readonly capability: string;
  readonly flags: Flags;
  readonly gateLimits?: GateLimits;
  readonly log: Logger;
}

/** Moves the truth towards what the flags ask for, where that is safe, and says why where not. */
export class FlagReconciler {
  readonly #options: FlagReconcilerOptions;
  readonly #intent = new Intent();
  readonly gates: Gates;
  #refused: Refusal | null = null;
  #alarmed = false;
  /** Whose journal has been asked for a wish that an earlier engine saw taken back. */
  #recalled: LeaderContext | undefined;
  /** Taken back; its wish counts as spent, also for a later engine, until this is written down. */
  #takenBack: HandoverRecord | undefined;

  constructor(options: FlagReconcilerOptions) {
    this.#options = options;
    this.gates = new Gates(options.gateLimits);
  }

  get view(): IntentView {
    return { to: this.#wanted(), spent: this.#intent.spent ?? null, refused: this.#refused };
  }

  /** The flags have changed: the same wish, given up and asked for again, is another wish. */
  flagsChanged(): void {
    const to = this.#wanted();
    if (to !== null) this.#intent.see(to);
  }

  /** Hands over because somebody asks in person, also for a wish that was spent. */
  async handOver({ handovers }: LeaderContext, to: SideName): Promise<HandoverOutcome> {
    this.#intent.renew();
    const wish = this.#intent.see(to);
    const outcome = await handovers.begin(to);
    if (outcome.outcome === 'aborted') this.#intent.spend(wish, reasonOf(outcome));
    this.#takenBack = outcome.outcome === 'aborted' ? outcome.record : undefined;
    return outcome;
  }

  /** Hands over whatever the flag asks for: what it asks for now is not done until it is turned. */
  async overrule({ handovers }: LeaderContext, to: SideName): Promise<HandoverOutcome> {
    const outcome = await handovers.begin(to, null, true);
    this.recallAgain();
    return outcome;
  }

  /** Has the journal asked anew for what the flag must not get. */
  recallAgain(): void {
    this.#recalled = undefined;
  }

  /** A handover of an earlier engine has come to its end. */
  resumed(outcome: HandoverOutcome): void {
    const { to, keys } = outcome.record;
    // No flag asks for single keys: they are moved in person, once.
    if (outcome.outcome !== 'aborted' || keys !== null) return;
    this.#takenBack = outcome.record;
    if (this.#wanted() !== to) return;
    this.#intent.spend(this.#intent.see(to), reasonOf(outcome));
  }

  /** Does what the flags ask for, if anything, and if it may. @returns whether they ask for nothing more */
  async drive(context: LeaderContext, facts: Facts): Promise<boolean> {
    const { log, capability } = this.#options;
    const fences = restOf(await fencesIn(facts));
    const owner = ownerOf(fences);
    if (owner === null) {
      this.#alarm(fences);
      return false;
    }
    this.#alarmed = false;
    const to = this.#wanted();
    if (to === null) {
      this.#refused = null;
      return true;
    }
    await this.#recall(context, facts, to);
    const wish = this.#intent.see(to);
    await this.#forgive(context);
    if (owner === wish.to || this.#intent.spent !== undefined) {
      this.#refused = null;
      return true;
    }
    const refusal = refusalOf(await this.gates.glance(context.opened, facts, wish.to));
    this.#note(refusal ?? null, wish.to);
    if (refusal) return false;
    log.info({ capability, to: wish.to }, 'the flag asks for a handover');
    await this.handOver(context, wish.to);
    return false;
  }

  /** What was taken back while another engine led, or none, must not be tried at once by this one. */
  async #recall(context: LeaderContext, facts: Facts, to: SideName): Promise<void> {
    if (this.#recalled === context) return;
    const refusal = await standingRefusal(facts);
    this.#recalled = context;
    this.#takenBack = refusal?.record;
    if (refusal?.to !== to) return;
    this.#intent.spend(this.#intent.see(to), refusal.reason);
  }

  /** The wish that was taken back has been given up: whoever asks for it now means it anew. */
  async #forgive(context: LeaderContext): Promise<void> {
    if (!this.#takenBack || this.#intent.spent !== undefined) return;
    await markTurned(context, this.#takenBack);
    this.#takenBack = undefined;
  }

  /** With no handover under way, only a restored backup or a hand in the fences can do that. */
  #alarm(fences: Fences): void {
    const { log, capability } = this.#options;
    if (!this.#alarmed)
      log.error({ capability, fences }, `${capability} has not exactly one owner`);
    this.#alarmed = true;
  }

  /** The side that the flag asks for; null while it asks for nothing, and everything stays as it is. */
  #wanted(): SideName | null {
    const { flags, capability } = this.#options;
    const { on } = flags.switch(`${capability}.writes`);
    if (on === null) return null;
    return on ? 'extracted' : 'legacy';
  }

  /** Says why a wish has to wait, once for each reason; numbers in it may change meanwhile. */
  #note(refusal: Refusal | null, to: SideName): void {
    const { log, capability } = this.#options;
    const before = this.#refused;
    this.#refused = refusal;
    if (refusal === null || before?.gate === refusal.gate) return;
    log.warn({ capability, to, ...refusal }, 'the flag asks for a handover that is not safe yet');
  }
}

function reasonOf({ reason }: HandoverOutcome): string {
  return reason ?? 'the handover was taken back';
}
