import { runMain } from '../../chassis/cli/index.ts';
import { keepFilesPrivate } from '../../chassis/index.ts';
import { runCommand } from './run.ts';

keepFilesPrivate();
await runMain(runCommand);
