import { contractFile, loadConfig, saveContractRuns } from '../routing/index.ts';
import { contractCommand } from './command.ts';
import { SIDES } from './targets.ts';

const { env } = process;
const print = (text: string): void => {
  process.stdout.write(text);
};

process.exitCode = await contractCommand(process.argv.slice(2), SIDES, print, async () => {
  const config = await loadConfig(env);
  const file = contractFile(env, config);
  return { upstreams: config.upstreams, keep: async (runs) => saveContractRuns(file, runs) };
});
