import { runBench } from '../data/index.ts';
import { benchBackfill } from './bench.ts';

await runBench(benchBackfill);
