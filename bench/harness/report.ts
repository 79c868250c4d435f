import { writeFile } from 'node:fs/promises';
import type { Machine } from './machine.ts';
import type { Result } from './result.ts';
import { table } from './table.ts';

export interface Report {
  readonly machine: Machine;
  readonly results: readonly Result[];
}

/** Prints a report as a table, writes it as JSON where a file is given; whether every goal was met. */
export async function publish(report: Report, file: string | undefined): Promise<boolean> {
  const { machine, results } = report;
  const tools = Object.values(machine.tools).join(', ');
  console.log(`${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}`);
  if (tools !== '') console.log(tools);
  console.log(`\n${table(results)}\n`);
  if (file !== undefined) await writeFile(file, `${JSON.stringify(report, null, 2)}\n`);
  return results.every(({ ok }) => ok);
}
