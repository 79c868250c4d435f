import { writeFileSync } from 'node:fs';

/**
 * Loaded before a program (`node --import`): writes how much of a processor it has used at its end, in
 * ms, to the file that FIG_BENCH_USAGE names.
 */
process.once('exit', () => {
  const { user, system } = process.cpuUsage();
  const processorMs = (user + system) / 1_000;
  writeFileSync(process.env['FIG_BENCH_USAGE'] ?? '', JSON.stringify({ processorMs }));
});
