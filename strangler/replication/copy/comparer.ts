import { directionsOf, isSplit, ownerOfKey } from '../direction.ts';
import type { AllFences } from '../direction.ts';
import type { Mapping } from '../../mapping/index.ts';
import type { SideDatabase } from '../../sides/side-database.ts';
import type { SideName } from '../../../routing/side.ts';
import { refuseHiddenRows } from './hidden-rows.ts';
import { joined, keyCountOf } from './by-owner.ts';
import { reconcile } from './reconcile.ts';
import type { ReconcileRequest } from './reconcile.ts';
import { RowsToRepair } from './repair.ts';
import type { ReconcileReport, Repair } from './report.ts';

interface ComparerOptions {
  readonly mapping: Mapping;
  readonly databases: Readonly<Record<SideName, SideDatabase>>;
  /** Aborted when the engine stops. */
  readonly signal: AbortSignal;
  /** As they are once nothing turns around any more. */
  readonly fences: () => Promise<AllFences>;
  /** Waits for a side's feed to be applied up to a position; rejects when that takes too long. */
  readonly applied: (from: SideName, position: number) => Promise<void>;
}

/** Compares both sides of a capability, each row as its owner has it. */
export class Comparer {
  readonly #options: ComparerOptions;

  constructor(options: ComparerOptions) {
    this.#options = options;
  }

  /**
   * Compares row by row, and keeps the report in a database; one of a sample only when it has found
   * something, since it proves nothing else.
   */
  async reconcile(keeper: SideDatabase, wish: ReconcileRequest = {}): Promise<ReconcileReport> {
    const { legacy, extracted } = this.#options.databases;
    // Before anything is read: what is demanded from here on has not been looked at.
    const begunAt = {
      legacy: await legacy.checks.clock(),
      extracted: await extracted.checks.clock(),
    };
    const compared = { ...(await this.#compare(wish)), begunAt };
    const report =
      compared.sample === null
        ? {
            ...compared,
            dangling: [...(await legacy.checks.dangling()), ...(await extracted.checks.dangling())],
          }
        : compared;
    if (report.sample === null || !report.clean) await keeper.saveReport(report, report.finishedAt);
    return report;
  }

  /** Compares, and brings the owner's rows over once more where the sides differ. */
  async repair(
    keeper: SideDatabase,
    sample: ReconcileRequest['sample'],
  ): Promise<ReconcileReport & { repair: Repair }> {
    const { mapping, databases, applied } = this.#options;
    await refuseHiddenRows(mapping, [databases.legacy, databases.extracted]);
    const rows = { legacy: new RowsToRepair(), extracted: new RowsToRepair() };
    const onDifference: ReconcileRequest['onDifference'] = (row, owner, gone) =>
      rows[owner].add(row, gone);
    const report = await this.reconcile(keeper, { sample, onDifference });
    for (const side of ['legacy', 'extracted'] as const) {
      const position = await rows[side].reEmit(databases[side]);
      // Whoever compares again at once should find it done.
      if (position !== null) await applied(side, position).catch(() => undefined);
    }
    const [legacy, extracted] = [rows.legacy.done, rows.extracted.done];
    const sum = (of: keyof Repair): number => legacy[of] + extracted[of];
    return {
      ...report,
      repair: { queued: sum('queued'), removed: sum('removed'), left: sum('left') },
    };
  }

  /** With single keys ahead of the rest, in two goes. */
  async #compare(wish: ReconcileRequest): Promise<ReconcileReport> {
    const { mapping, databases, signal, applied } = this.#options;
    const fences = await this.#options.fences();
    const reports: ReconcileReport[] = [];
    for (const { from, to } of directionsOf(fences)) {
      const report = await reconcile({
        mapping,
        source: databases[from],
        target: databases[to],
        signal,
        applied: (position) => applied(from, position),
        ...(isSplit(fences) ? { owns: (key: string) => ownerOfKey(fences, key) === from } : {}),
        ...wish,
      });
      reports.push(report);
    }
    const [first, second] = reports as [ReconcileReport, ReconcileReport?];
    if (!second) return first;
    return joined(first, second, keyCountOf(fences, await this.#options.fences()));
  }
}
