import { duration } from '../text/index.ts';

export function ago(ms: number): string {
  return ms < 1_000 ? 'just now' : `${duration(ms)} ago`;
}

/** Pads columns to the widest cell of each; the last one is left as it is. */
export function table(rows: readonly (readonly string[])[], indent = ''): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    }
  }
  return rows
    .map((row) => {
      const cells = row.map((cell, index) =>
        index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0),
      );
      return (indent + cells.join('  ')).trimEnd();
    })
    .join('\n');
}

/** Steps in order, numbered. */
export function stepsText(steps: readonly string[]): string {
  return steps.map((line, index) => `${String(index + 1).padStart(2)}. ${line}`).join('\n');
}
