import { writeFileSync } from 'node:fs';

/**
 * Loaded before a program (`node --import`): writes how much of a processor it has used at its end, in
 * ms, to the file that its own address names.
 */
const file = new URL(import.meta.url).searchParams.get('file') ?? '';
process.once('exit', () => {
  const { user, system } = process.cpuUsage();
  const processorMs = (user + system) / 1_000;
  writeFileSync(file, JSON.stringify({ processorMs }));
});
