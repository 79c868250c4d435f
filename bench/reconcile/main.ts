import { runBench } from '../data/index.ts';
import { benchReconcile } from './bench.ts';

await runBench(benchReconcile);
