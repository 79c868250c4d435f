import { contractFile, saveContractRuns } from '../strangler/routing/index.ts';
import { contractCommand } from './command.ts';
import { SIDES } from './targets.ts';

process.exitCode = await contractCommand(
  process.argv.slice(2),
  SIDES,
  (text) => {
    process.stdout.write(text);
  },
  (runs) => saveContractRuns(contractFile(process.env), runs),
);
