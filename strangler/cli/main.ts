import { keepFilesPrivate } from '../../chassis/index.ts';
import { EXIT } from './exit.ts';
import { runCommand } from './run.ts';

keepFilesPrivate();
process.once('SIGINT', () => process.exit(EXIT.interrupted));
// What is cleaned up at the end is so then, too.
process.once('SIGTERM', () => process.exit(143));
// A reader such as `head` may have had enough.
process.stdout.on('error', () => process.exit(EXIT.done));
process.exitCode = await runCommand(process.argv.slice(2));
