import type { BySide, SideName } from '../../routing/side.ts';
import type { Demand } from '../ownership/handover/gates.ts';
import type { Facts } from './facts.ts';

/** What a comparison says of itself, as far as a demand is concerned. */
export interface Comparison {
  readonly clean: boolean;
  readonly startedAt: number;
  /** When it began, by the clock of each database; earlier versions knew that of the engine only. */
  readonly begunAt?: BySide<number> | undefined;
}

/**
 * The newest demand of a full comparison, unless a clean one has begun after it. Each side's demand is
 * judged by its own database's clock: the machines of engine, `fig` and databases may differ by hours.
 */
export function openDemand(
  demands: BySide<Demand | null>,
  reports: readonly (Comparison | null | undefined)[],
): Demand | null {
  const clean = reports.filter((report) => report?.clean === true);
  const isOpen = (side: SideName): boolean => {
    const at = demands[side]?.at;
    return at !== undefined && !clean.some((report) => begunAt(report, side) >= at);
  };
  const open = (['legacy', 'extracted'] as const).filter(isOpen).map((side) => demands[side]);
  const [newest = null] = open
    .filter((demand) => demand !== null)
    .sort((left, right) => right.at - left.at);
  return newest;
}

/** The same, by the demands and the newest reports of both databases. */
export async function openDemandIn({ legacy, extracted }: Facts): Promise<Demand | null> {
  const demands = { legacy: await legacy.demand(), extracted: await extracted.demand() };
  const reports = [await legacy.report(), await extracted.report()];
  return openDemand(demands, reports as Parameters<typeof openDemand>[1]);
}

function begunAt(report: Comparison | null | undefined, side: SideName): number {
  return report?.begunAt?.[side] ?? report?.startedAt ?? 0;
}
