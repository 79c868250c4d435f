import type { Logger } from '../../chassis/index.ts';
import { findOlderSelves } from '../doctor/older-self.ts';
import { otherSide } from '../side.ts';
import type { SideName } from '../side.ts';
import type { Leases } from './leases.ts';
import type { Plane } from './plane.ts';

const EVERY_MS = 1_000;
const SIDES: readonly SideName[] = ['legacy', 'extracted'];

/**
 * Watches for a database that was restored from a backup: every second each is told of the other,
 * and one that knows less of itself than it should is an older self. The alarm is kept in both
 * databases, and is over when all rows have been compared.
 */
export class Vigil {
  readonly #log: Logger;
  readonly #capability: string;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #known = '';

  constructor(capability: string, log: Logger) {
    this.#capability = capability;
    this.#log = log;
  }

  /** Must not run beside a handover: between cede and open a target is behind. */
  async look(plane: Plane, leases: Leases): Promise<void> {
    if (performance.now() - this.#lookedAt < EVERY_MS) return;
    const found = await findOlderSelves(plane.sides);
    const reason = found.map((one) => one.reason).join('; ');
    if (reason !== '' && reason !== this.#known) await this.#alarm(plane, reason);
    this.#known = reason;
    await introduce(plane, leases);
    this.#lookedAt = performance.now();
  }

  async #alarm({ sides }: Plane, reason: string): Promise<void> {
    this.#log.error(
      { capability: this.#capability, reason, next: `fig doctor ${this.#capability}` },
      'a database was restored from a backup, or replaced; nothing is handed over before both sides are compared',
    );
    for (const side of SIDES) await sides[side].checks.demandReconcile(reason);
  }
}

/** Tells each database of the other; what one is told must be safe in the other before. */
export async function introduce({ sides }: Plane, leases: Leases): Promise<void> {
  for (const side of SIDES) {
    const other = sides[otherSide(side)];
    const lease = leases.held?.[side];
    const installation = await other.installation();
    if (!lease || !installation) return;
    const known = await other.store.acquaintance();
    const { epoch } = await other.store.fence();
    const { incarnation } = installation;
    await sides[side].store.greet(
      { incarnation, pulse: known.pulse, epoch },
      lease,
      known.other?.pulse ?? 0,
    );
  }
}
