import { runBench } from '../data/index.ts';
import { benchFeed } from './bench.ts';

await runBench(benchFeed);
