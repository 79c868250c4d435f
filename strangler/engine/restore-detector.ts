import type { Fence, Logger } from '../../chassis/index.ts';
import { decisionText, passOver, readViews, restoredBackups } from '../doctor/index.ts';
import type { RestoredBackup, Views } from '../doctor/index.ts';
import { blockingMark } from '../replication/feed-mark.ts';
import { readFacts } from '../sides/facts.ts';
import { openDemandIn } from '../sides/open-demand.ts';
import { otherSide, SIDES } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import type { Lease, SideStore } from '../ledger/store.ts';
import type { Leases } from './leases.ts';
import type { OpenCapability } from './open-capability.ts';

const EVERY_MS = 1_000;
/**
 * Watches for a database that was restored from a backup: every second each is told of the other,
 * and one that knows less of itself than it should was restored. Where that is the owner, it takes
 * no more writes until a person has decided which side is right. The alarm is kept in both
 * databases. Neither is told of the other again, so that the evidence stays, until all rows have
 * been compared and found equal.
 */
export class RestoreDetector {
  readonly #log: Logger;
  readonly #capability: string;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #alarmed = '';

  constructor(capability: string, log: Logger) {
    this.#capability = capability;
    this.#log = log;
  }

  /** Whether both databases are what they were; where one is not, its rows must not be relied on. */
  get isCalm(): boolean {
    return this.#alarmed === '';
  }

  /** Must not run beside a handover: between cede and open a target is behind. */
  async look(opened: OpenCapability, leases: Leases): Promise<void> {
    if (performance.now() - this.#lookedAt < EVERY_MS) return;
    const views = await readViews(opened.sides);
    const found = restoredBackups(views);
    const who = found.map(({ side }) => side).join();
    if (who !== '' && who !== this.#alarmed) await this.#alarm(opened, leases, found);
    else if (who === '' || (await isCompared(opened))) {
      await settle(opened, leases, found);
      await introduce(opened, leases, views);
      this.#alarmed = '';
    }
    this.#lookedAt = performance.now();
  }

  async #alarm(
    opened: OpenCapability,
    leases: Leases,
    found: readonly RestoredBackup[],
  ): Promise<void> {
    const { sides } = opened;
    const reason = found.map((one) => one.reason).join('; ');
    this.#log.error(
      { capability: this.#capability, reason, next: `fig doctor ${this.#capability}` },
      'a database was restored from a backup, or replaced; nothing is handed over before both sides are compared',
    );
    // After a person has decided, what shows is the same old wound: it is not for us to overrule them.
    if (!(await isDecided(opened))) {
      for (const { side } of found) await this.#fenceOff(opened, leases, side);
      for (const side of SIDES) await sides[side].checks.demandReconcile(reason);
    }
    this.#alarmed = found.map(({ side }) => side).join();
  }

  /** It knows less than was acknowledged: each further write of its own makes the two harder to join. */
  async #fenceOff({ sides }: OpenCapability, leases: Leases, side: SideName): Promise<void> {
    const { store } = sides[side];
    const lease = leases.held?.[side];
    const fences = await store.fences();
    if (!lease || !fences.anyOpen) return;
    await refuseFeed(sides[otherSide(side)].store, leases.held?.[otherSide(side)]);
    const from: Fence = { state: 'open', epoch: fences.split ? fences.epoch : fences.rest.epoch };
    const entry = {
      handover: 'restore-detector',
      step: 'close',
      detail: 'restored from a backup, or replaced',
    };
    const closed = await store.step(entry, lease, { from, to: { ...from, state: 'closed' } });
    const fields = { capability: this.#capability, side, closed };
    this.#log.error(fields, 'the restored database takes no writes until a person has decided');
  }
}

/** An earlier build has kept no mark of what was applied: nothing else would keep the feed from going on. */
async function refuseFeed(target: SideStore, lease: Lease | undefined): Promise<void> {
  const { position, mark } = await target.followed();
  if (!lease || mark !== null) return;
  await target.followFrom({ position, mark: blockingMark(position) }, lease);
}

async function isDecided({ sides }: OpenCapability): Promise<boolean> {
  const demands = await Promise.all(SIDES.map((side) => sides[side].checks.demand()));
  return demands.some((one) => SIDES.some((side) => one?.reason === decisionText(side)));
}

async function isCompared({ sides }: OpenCapability): Promise<boolean> {
  return (await openDemandIn(readFacts(sides))) === null;
}

/**
 * Positions of its feed that were applied in its former life are not given out again. Of one that owns
 * nothing, what its feed holds is passed over: both sides are equal without it.
 */
async function settle(
  { sides }: OpenCapability,
  leases: Leases,
  found: readonly RestoredBackup[],
): Promise<void> {
  for (const { side } of found) {
    const [own, theirs] = [leases.held?.[side], leases.held?.[otherSide(side)]];
    if (!own || !theirs) return;
    const [restored, other] = [sides[side], sides[otherSide(side)].store];
    await restored.store.skipTo(await other.appliedPosition(), own);
    const { anyOpen } = await restored.store.fences();
    if (!anyOpen) await passOver(restored, other, theirs);
  }
}

/** Tells each database of the other; what one is told must be safe in the other before. */
async function introduce(
  { sides }: OpenCapability,
  leases: Leases,
  { ownViews }: Views,
): Promise<void> {
  for (const side of SIDES) {
    const lease = leases.held?.[side];
    const { incarnation, fence } = ownViews[otherSide(side)];
    if (!lease || incarnation === '') return;
    // Read anew: the one that was told first has counted up.
    const known = await sides[otherSide(side)].store.peerObservation();
    const checkpoint = { incarnation, pulse: known.pulse, epoch: fence.epoch };
    await sides[side].store.saveCheckpoint(checkpoint, lease, known.other?.pulse ?? 0);
  }
}
