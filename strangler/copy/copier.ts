import { setTimeout as delay } from 'node:timers/promises';
import type { Direction } from '../direction.ts';
import type { Applier } from '../feed/index.ts';
import type { Mapping } from '../mapping/index.ts';
import type { BackfillState, SideDatabase } from '../side-database.ts';
import { backfill } from './backfill.ts';

/** A backfill waits while applying is further behind than this, in changes. */
const CALM_CHANGES = 2_000;
const LOOK_MS = 20;

/** Where a copy stands. */
export interface BackfillStatus {
  readonly pairs: readonly BackfillState[];
  readonly running: boolean;
  readonly complete: boolean;
  readonly rows: number;
  readonly total: number;
  readonly rowsPerSecond: number | null;
  readonly etaMs: number | null;
  /** Why the newest run ended early; null when it did not. */
  readonly problem: string | null;
}

/** Both ends of a copy, and the applier that brings the changes made meanwhile. */
export interface CopyRoute {
  readonly direction: Direction;
  readonly source: SideDatabase;
  readonly target: SideDatabase;
  readonly applier: Applier;
}

/** Runs backfills of one capability, one at a time, and says how far they are. */
export class Copier {
  readonly #mapping: Mapping;
  readonly #signal: AbortSignal;
  #running: Promise<void> | undefined;
  #begun: { readonly at: number; readonly rows: number } | null = null;
  #problem: string | null = null;

  constructor(mapping: Mapping, signal: AbortSignal) {
    this.#mapping = mapping;
    this.#signal = signal;
  }

  /** @returns when the copy is whole; joins a run that is under way */
  run(route: () => Promise<CopyRoute>, restart: boolean): Promise<void> {
    this.#running ??= this.#try(route, restart).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Resolves when nothing is being copied. */
  async idle(): Promise<void> {
    await this.#running?.catch(() => undefined);
  }

  status(pairs: readonly BackfillState[], complete: boolean): BackfillStatus {
    const rows = pairs.reduce((sum, pair) => sum + pair.rows, 0);
    const total = pairs.reduce((sum, pair) => sum + Math.max(pair.total, pair.rows), 0);
    const seconds = this.#begun === null ? 0 : (Date.now() - this.#begun.at) / 1000;
    const rate = this.#begun !== null && seconds > 0 ? (rows - this.#begun.rows) / seconds : null;
    return {
      pairs,
      running: this.#running !== undefined,
      complete,
      rows,
      total,
      rowsPerSecond: rate === null ? null : Math.round(rate),
      etaMs: rate === null || rate <= 0 ? null : Math.round(((total - rows) / rate) * 1000),
      problem: this.#problem,
    };
  }

  async #try(route: () => Promise<CopyRoute>, restart: boolean): Promise<void> {
    this.#problem = null;
    try {
      await this.#copy(await route(), restart);
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
      throw error;
    } finally {
      this.#begun = null;
    }
  }

  async #copy(route: CopyRoute, restart: boolean): Promise<void> {
    const { source, target, applier } = route;
    const { epoch } = route.direction;
    if (!restart && (await target.installation())?.complete === true) return;
    const known = await target.backfills();
    const fresh = restart || known.length === 0;
    if (fresh) await beginCopy(route);
    const rows = fresh ? 0 : known.reduce((sum, state) => sum + state.rows, 0);
    this.#begun = { at: Date.now(), rows };
    const ready = await backfill({
      mapping: this.#mapping,
      source,
      target,
      epoch,
      applier,
      signal: this.#signal,
      whenCalm: () =>
        this.#until(async () => (await source.feed.last()) - applier.position <= CALM_CHANGES),
    });
    await this.#until(async () => applier.position >= ready);
    await target.apply(epoch, (transaction) => transaction.setComplete(), true);
  }

  async #until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await delay(LOOK_MS, undefined, { signal: this.#signal });
  }
}

/** What is in the feed up to now need not be applied: every row is about to be copied anyway. */
function beginCopy({ direction, source, target, applier }: CopyRoute): Promise<void> {
  return applier.moveTo(async () => {
    const position = await source.feed.last();
    await target.apply(direction.epoch, (transaction) => transaction.beginCopy(position));
    return position;
  });
}
