import type { Result } from './result.ts';

const COLUMNS = ['what', 'ours', 'rival', 'ratio', 'goal', ''] as const;

/** Results as lines of text with aligned columns; the last column marks goals that were missed. */
export function table(results: readonly Result[]): string {
  const rows = results.map((result) => [
    result.name,
    `${readable(result.value)} ${result.unit}`,
    result.rival === null || result.rivalValue === null
      ? ''
      : `${readable(result.rivalValue)} ${result.rival}`,
    ratioOf(result),
    result.goal ?? '',
    result.ok ? '' : 'MISSED',
  ]);
  const widths = COLUMNS.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(COLUMNS), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join(
    '\n',
  );
}

function ratioOf({ ratio, interval }: Result): string {
  if (ratio === null) return '';
  const own = `${ratio.toFixed(2)}x`;
  return interval === null
    ? own
    : `${own} (${interval.low.toFixed(2)} to ${interval.high.toFixed(2)})`;
}

/** Three digits that mean something: 31,234 and 0.412 and 12.3. */
export function readable(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 3;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}
