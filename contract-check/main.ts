import { contractFile, loadConfig, saveContractRuns } from '../strangler/routing/index.ts';
import { contractCommand } from './command.ts';
import { SIDES } from './targets.ts';

const { env } = process;

process.exitCode = await contractCommand(
  process.argv.slice(2),
  SIDES,
  (text) => {
    process.stdout.write(text);
  },
  {
    keep: async (runs) => saveContractRuns(contractFile(env, await loadConfig(env)), runs),
    upstreams: async () => (await loadConfig(env)).upstreams,
  },
);
