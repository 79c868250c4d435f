import type { Logger } from '../../chassis/index.ts';
import type { Flags } from '../../routing/index.ts';
import { isSplit, restOf, twiceOwned } from '../replication/direction.ts';
import { fencesIn } from '../sides/facts.ts';
import type { Facts } from '../sides/facts.ts';
import type { OpenCapability } from './open-capability.ts';
import { ownerOf } from '../ownership/owner.ts';
import { statusIn } from './status.ts';
import { wayBackOf } from './way-back-state.ts';
import type { WayBack } from './way-back-state.ts';

const EVERY_MS = 1_000;

interface WatchOptions {
  readonly capability: string;
  readonly flags: Flags;
  readonly log: Logger;
}

/** Says it when what extracted writes does not find its way back any more, once for each reason. */
export class WayBackWatch {
  readonly #options: WatchOptions;
  /** What helps against the reason for which there is no way back; null while there is one. */
  #unsafe: string | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #wasBehind = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Looks once a second. */
  async look(opened: OpenCapability, facts: Facts): Promise<void> {
    if (performance.now() < this.#lookedAt + EVERY_MS) return;
    this.#lookedAt = performance.now();
    const fences = await fencesIn(facts);
    const owner = ownerOf(restOf(fences));
    // Of two owners, or none, nobody can say which way is back.
    if (owner === null || twiceOwned(fences).length > 0) return;
    // Where legacy owns everything nothing has to find its way back, and nothing more is read.
    const mayBeAhead = owner === 'extracted' || isSplit(fences);
    this.#say(mayBeAhead ? await this.#wayBack(opened, facts) : null);
  }

  async #wayBack({ data }: OpenCapability, facts: Facts): Promise<WayBack | null> {
    const { capability, flags } = this.#options;
    const status = await statusIn(facts, capability, flags);
    const { problem } = await data.status(facts);
    return wayBackOf({ ...status, broken: problem?.message ?? null });
  }

  #say(wayBack: WayBack | null): void {
    const { log, capability } = this.#options;
    const seen = wayBack !== null && !wayBack.safe ? wayBack : null;
    // After a pause there is a backlog, which is no news unless it is still there a moment later.
    const isFirst = seen?.passing === true && !this.#wasBehind;
    this.#wasBehind = seen?.passing === true;
    const unsafe = isFirst ? null : seen;
    if (unsafe && unsafe.next !== this.#unsafe)
      log.error({ capability, ...unsafe }, 'ROLLBACK UNSAFE');
    if (!unsafe && this.#unsafe !== null) log.info({ capability }, 'there is a way back again');
    this.#unsafe = unsafe?.next ?? null;
  }
}
