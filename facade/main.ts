import cluster from 'node:cluster';
import { ConfigurationError, readNumber, runProcess } from '../chassis/index.ts';
import { runAlone } from './run-alone.ts';
import { runPrimary, runWorker } from './workers/index.ts';

await runProcess('facade', ({ env, log }) => {
  const workers = readNumber(env, 'FACADE_WORKERS', 1);
  if (!Number.isInteger(workers) || workers < 1 || workers > 64) {
    throw new ConfigurationError(`FACADE_WORKERS=${workers} is no number of workers; give 1 to 64`);
  }
  if (workers === 1) return runAlone(env, log);
  return cluster.isPrimary ? runPrimary(workers, env, log) : runWorker(env, log);
});
