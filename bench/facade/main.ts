import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine, publish } from '../harness/index.ts';
import { benchFacade } from './bench.ts';
import { setStage } from './stage.ts';

const { values } = parseArgs({
  options: {
    json: { type: 'string' },
    seconds: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '15' },
  },
});

const folder = await mkdtemp(join(tmpdir(), 'fig-bench-'));
try {
  const stage = await setStage({
    folder,
    seconds: Number(values.seconds),
    rounds: Number(values.rounds),
  });
  try {
    const results = await benchFacade(stage);
    const machine = describeMachine(stage.tools);
    process.exitCode = await publish({ machine, results }, values.json);
  } finally {
    await stage.upstream.stop();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
