import type { AssessedTable, Load } from './report.ts';

/**
 * Planning figures, each to be replaced by a measurement of one's own: the copy slows down by itself while writes
 * get slower, and a machine that is busy copies at a tenth of what an idle one does.
 */
const COPY_ROWS_PER_SECOND = 2_000;
/** A captured change has the row as JSON, and its key, position, epoch and time. */
const IMAGE_FACTOR = 2;
const CHANGE_BYTES = 120;
/** A handover's own steps: some ten short transactions in two databases. */
const PAUSE_MS = 100;

/**
 * What moving tables is expected to cost.
 * @param drained whether the side's application has its writes finished before its fence closes
 */
export function loadOf(tables: readonly AssessedTable[], drained: boolean): Load {
  const rows = sum(tables.map((table) => table.rows ?? 0));
  const bytes = sum(tables.map((table) => table.bytes));
  const rates = tables.map(({ writes }) => Math.max(writes?.window ?? 0, writes?.average ?? 0));
  const captureBytes = tables.map((table, index) => {
    const rowBytes = table.rows ? table.bytes / table.rows : 0;
    return (rates[index] ?? 0) * (rowBytes * IMAGE_FACTOR + CHANGE_BYTES);
  });
  const writesPerSecond = sum(rates);
  const waits = tables.some(({ writes }) => writes !== null);
  return {
    rows,
    bytes,
    writesPerSecond,
    captureRowsPerSecond: writesPerSecond,
    captureBytesPerSecond: Math.round(sum(captureBytes)),
    copySeconds: Math.ceil(rows / COPY_ROWS_PER_SECOND),
    pauseMs: PAUSE_MS,
    from: [
      waits
        ? 'writes: the larger of the rate within the window and the average since the statistics began'
        : 'writes: this database does not count them, so they are taken for none',
      `capture: one row for each written row, in the same transaction; twice the row's average size as JSON and ${CHANGE_BYTES} bytes`,
      `copy: ${COPY_ROWS_PER_SECOND.toLocaleString('en-US')} rows a second, a planning figure; fig backfill shows the real one, slows down for live writes, and --rate bounds it`,
      `pause: about ${PAUSE_MS} ms for the steps of a handover, in which writes wait and are not refused` +
        (drained
          ? '; before that, new writes wait until the longest write that is under way has ended (drainFirst)'
          : ''),
    ],
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((left, right) => left + right, 0);
}
