import type { Cell } from './cells.ts';
import type { RouteReport } from './judge.ts';
import type { CellReport } from './trial.ts';

export function cellText({ fault, target, stage }: Cell): string {
  return `${fault} of ${target}, ${stage}`;
}

const COLUMNS: readonly [name: string, width: number, of: (report: CellReport) => string][] = [
  ['stage', 7, ({ stage }) => stage],
  ['target', 9, ({ target }) => target],
  ['fault', 11, ({ fault }) => fault],
  ['verdict', 12, ({ verdict }) => verdict],
  ['others’ p99', 15, othersText],
  ['back', 8, ({ recoveredMs }) => `${recoveredMs} ms`],
  ['load', 9, ({ load }) => (load ? `${load.arrived}/${load.sent}` : '-')],
  ['clients see', 0, seenText],
];

/** One line a cell: others' p99 is that with the fault, and that without it just before. */
export function tableOf(reports: readonly CellReport[]): string {
  const rows = reports.map((report) => COLUMNS.map(([, width, of]) => of(report).padEnd(width)));
  const head = COLUMNS.map(([name, width]) => name.padEnd(width));
  const lines = reports.length === 1 ? rows : [head, ...rows];
  return lines.map((columns) => `${columns.join('  ').trimEnd()}\n`).join('');
}

/** Of the routes that have nothing to do with the target, the one that was slowed most. */
function othersText({ routes }: CellReport): string {
  const others = routes.filter(({ dependence }) => dependence === 'none');
  const slowed = others.toSorted((a, b) => b.p99 / b.p99Before - a.p99 / a.p99Before)[0];
  return slowed ? `${slowed.p99} / ${slowed.p99Before} ms` : '-';
}

function seenText({ routes }: CellReport): string {
  const touched = routes.filter(({ dependence }) => dependence !== 'none');
  if (touched.length === 0) return 'nothing of it';
  return touched.map(routeText).join('; ');
}

function routeText({ route, answers, p50, slowestFailureMs }: RouteReport): string {
  const told = Object.entries(answers)
    .sort(([, a], [, b]) => b - a)
    .map(([what, times]) => `${what} x${times}`)
    .join(', ');
  const failures = slowestFailureMs === null ? '' : `, failures within ${slowestFailureMs} ms`;
  return `${route}: ${told} (p50 ${p50} ms${failures})`;
}
