import type { OpenDemand } from './facts.ts';

/** What a comparison says of itself, as far as a demand is concerned. */
interface Comparison {
  readonly clean: boolean;
  readonly startedAt: number;
}

/** The newest demand of a full comparison, unless a clean one has begun after it. */
export function openDemand(
  demands: readonly (OpenDemand | null)[],
  reports: readonly (Comparison | null | undefined)[],
): OpenDemand | null {
  const [newest] = demands
    .filter((demand) => demand !== null)
    .sort((left, right) => right.at - left.at);
  if (!newest) return null;
  const met = reports.some((report) => report?.clean === true && report.startedAt >= newest.at);
  return met ? null : newest;
}
