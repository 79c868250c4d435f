import { duration } from '../../chassis/text/index.ts';
import type { LiveStatus } from '../engine/index.ts';
import { count, plural } from '../wording.ts';

/** How far a copy is, how fast, and how long it will take. */
export function copiedText(
  { rows, total }: LiveStatus['backfill'],
  run: LiveStatus['backfillRun'] | undefined,
): string {
  // Rows are counted when the copy begins.
  if (rows === 0 && total === 0) return 'about to begin';
  const { rowsPerSecond = null, etaMs = null, limit = null } = run ?? {};
  const atMost = limit === null ? '' : ` of ${count(limit)} at most`;
  const speed = rowsPerSecond === null ? '' : `, ${count(rowsPerSecond)} rows/s${atMost}`;
  const left = etaMs === null ? '' : `, ${duration(etaMs)} to go`;
  return `${count(rows)} of ${plural(total, 'row')}${speed}${left}`;
}
