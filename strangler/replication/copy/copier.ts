import { setTimeout as delay } from 'node:timers/promises';
import { errorText } from '../../../chassis/index.ts';
import { sameDirection } from '../direction.ts';
import type { Direction } from '../direction.ts';
import type { Applier, ApplierProblem } from '../feed/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { BackfillState, SideDatabase } from '../../sides/side-database.ts';
import { backfill } from './backfill.ts';
import { refuseHiddenRows } from './hidden-rows.ts';
import { Pace } from './pace.ts';
import { refuseUnattended } from './removal.ts';
import { refuseShort } from './whole.ts';

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
  /** Rows a second that it may copy at most; null: as many as it can. */
  readonly limit: number | null;
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

/** What is asked of a copy. */
export interface CopyOptions {
  /** Copies everything again, also after a feed was lost; ends a run that is under way. */
  readonly restart?: boolean | undefined;
  /** A limit in rows a second, from now on; null for none. Left out, it stays as it is. */
  readonly rate?: number | null | undefined;
  /** Whether the engine begins it without an order: then only where it would remove next to nothing. */
  readonly unattended?: boolean | undefined;
}

/** Where a copy goes at the moment: pipelines come and go. */
type FindRoute = () => Promise<CopyRoute>;

/** Runs backfills of one capability, one at a time, and says how far they are. */
export class Copier {
  readonly #mapping: Mapping;
  readonly #signal: AbortSignal;
  readonly #pace = new Pace();
  #run = new AbortController();
  #running: Promise<void> | undefined;
  #problem: string | null = null;

  constructor(mapping: Mapping, signal: AbortSignal) {
    this.#mapping = mapping;
    this.#signal = signal;
  }

  /** @returns when the copy is whole; joins a run that is under way */
  async run(route: FindRoute, wish: CopyOptions): Promise<void> {
    const { restart = false, rate } = wish;
    if (rate !== undefined) await this.#limit(route, rate);
    if (restart && this.#running !== undefined) {
      this.#run.abort(new Error('a new copy was asked for'));
      await this.idle();
    }
    this.#running ??= this.#try(route, wish).finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  /** Resolves when nothing is being copied. */
  async idle(): Promise<void> {
    await this.#running?.catch(() => undefined);
  }

  status(pairs: readonly BackfillState[], complete: boolean): BackfillStatus {
    const rows = pairs.reduce((sum, pair) => sum + pair.rows, 0);
    const total = pairs.reduce((sum, pair) => sum + Math.max(pair.total, pair.rows), 0);
    const running = this.#running !== undefined;
    const speed = running ? this.#pace.rowsPerSecond : null;
    return {
      pairs,
      running,
      complete,
      rows,
      total,
      rowsPerSecond: speed,
      etaMs: speed === null || speed <= 0 ? null : Math.round(((total - rows) / speed) * 1000),
      limit: this.#pace.limit,
      problem: this.#problem,
    };
  }

  /** Kept beside the copy, so that an engine that goes on with it does not hurry. */
  async #limit(route: FindRoute, rate: number | null): Promise<void> {
    const { target } = await route();
    await target.saveCopyLimit(rate);
    this.#pace.set(rate);
  }

  async #try(route: FindRoute, wish: CopyOptions): Promise<void> {
    this.#problem = null;
    this.#run = new AbortController();
    const signal = AbortSignal.any([this.#signal, this.#run.signal]);
    try {
      await this.#copy(route, wish, signal);
    } catch (error) {
      // A timer that is aborted does not say why.
      const cause: unknown = signal.aborted ? signal.reason : error;
      // The next engine goes on with what this one leaves.
      if (!this.#signal.aborted) this.#problem = errorText(cause);
      throw cause;
    }
  }

  async #copy(
    find: FindRoute,
    { restart = false, unattended = false }: CopyOptions,
    signal: AbortSignal,
  ): Promise<void> {
    const route = await find();
    const { source, target, applier, direction } = route;
    if (!restart && (await target.installation())?.complete === true) {
      await this.#limit(find, null);
      return;
    }
    await refuseHiddenRows(this.#mapping, [source, target]);
    this.#pace.start();
    this.#pace.set(await target.copyLimit());
    if (unattended) await refuseUnattended({ mapping: this.#mapping, source, target });
    if (restart || (await target.backfills()).length === 0) await beginCopy(route);
    const { epoch } = direction;
    const whenCalm = (): Promise<void> =>
      untilApplied(find, direction, signal, async (position) => {
        return (await source.feed.last()) - position <= CALM_CHANGES;
      });
    const pace = this.#pace;
    const mapping = this.#mapping;
    const options = { mapping, source, target, epoch, applier, signal, pace, whenCalm };
    const ready = await backfill(options);
    await untilApplied(find, direction, signal, async (position) => position >= ready);
    await refuseShort({ mapping, source, target });
    await target.apply(epoch, (transaction) => transaction.setComplete(), true);
    await this.#limit(find, null);
  }
}

/**
 * Waits until enough of the feed has been applied, by whichever applier does that at the moment.
 * @throws when that will never be: ownership has moved, or what is missing is gone from the feed
 */
async function untilApplied(
  find: FindRoute,
  from: Direction,
  signal: AbortSignal,
  enough: (position: number) => Promise<boolean>,
): Promise<void> {
  for (;;) {
    const { applier, direction } = await find();
    if (!sameDirection(from, direction)) {
      throw new Error('ownership has moved while rows were being copied; start the copy again');
    }
    if (await enough(applier.position)) return;
    refuseLost(applier.problem);
    await delay(LOOK_MS, undefined, { signal });
  }
}

function refuseLost(problem: ApplierProblem | null): void {
  if (problem?.lost === true) throw new Error(`${problem.message} (restart it)`);
}

/** What is in the feed up to now need not be applied: every row is about to be copied anyway. */
function beginCopy({ direction, source, target, applier }: CopyRoute): Promise<void> {
  return applier.moveTo(async () => {
    const position = await source.feed.last();
    const from = { position, mark: await source.feed.markAt(position) };
    await target.apply(direction.epoch, (transaction) => transaction.beginCopy(from));
    return position;
  });
}
