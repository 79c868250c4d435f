import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine, publish } from '../harness/index.ts';
import type { Result } from '../harness/index.ts';

/** Runs a benchmark in a folder of its own and publishes what it found; `--json FILE` keeps it. */
export async function runBench(
  bench: (folder: string) => Promise<readonly Result[]>,
): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'string' } } });
  const folder = await mkdtemp(join(tmpdir(), 'fig-bench-'));
  try {
    const results = await bench(folder);
    process.exitCode = await publish({ machine: describeMachine(), results }, values.json);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
