import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine, publish } from '../harness/index.ts';
import { resultsOf } from './bench.ts';
import { fencedHandover } from './handover.ts';
import { naiveFlip } from './naive.ts';
import { perform } from './stage.ts';

const HELP = `Moves inventory and payment to and fro under load, and judges both by what clients were told.

  npm run bench:handover
  npm run bench:handover -- --json handover.json
  npm run bench:handover -- --handovers 12        a short try

  --handovers N   handovers in all, a multiple of 4 (100)
  --rate N        requests per second (520)
  --json FILE     writes the results to a file
`;

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    handovers: { type: 'string', default: '100' },
    rate: { type: 'string', default: '520' },
    help: { type: 'boolean', short: 'h' },
  },
});

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const handovers = Number(values.handovers);
  const perSecond = Number(values.rate);
  if (!Number.isInteger(handovers) || handovers < 4 || handovers % 4 !== 0) {
    process.stderr.write(`--handovers ${values.handovers}: give a multiple of 4, such as 100\n`);
    return 2;
  }
  if (!(perSecond > 0)) {
    process.stderr.write(`--rate ${values.rate}: give requests per second, such as 520\n`);
    return 2;
  }
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort(new Error('interrupted')));
  process.once('SIGTERM', () => stop.abort(new Error('terminated')));
  const { signal } = stop;
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const folder = await mkdtemp(join(tmpdir(), 'fig-bench-'));
  try {
    const options = { folder, perSecond, handovers, signal, say };
    const ours = await perform(fencedHandover(), options);
    const naive = await perform(naiveFlip(), options);
    for (const { verdict } of [ours, naive]) for (const text of verdict.examples) say(`  ${text}`);
    say(
      `naive: both databases are ${naive.moved.databasesEqual ? 'equal' : 'different'} at the end`,
    );
    const results = resultsOf(ours, naive, handovers);
    return await publish({ machine: describeMachine(), results }, values.json);
  } catch (error) {
    if (!signal.aborted) throw error;
    say((signal.reason as Error).message);
    return 130;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
