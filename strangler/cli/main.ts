import { keepFilesPrivate } from '../../chassis/index.ts';
import { EXIT } from './exit.ts';
import { endOnSignals } from './interrupt.ts';
import { runCommand } from './run.ts';

keepFilesPrivate();
endOnSignals();
// A reader such as `head` may have had enough, which ends a program as SIGPIPE does; what else goes wrong
// with the output, such as a full disk, is an error: who reads it must not take half of it for all.
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') process.exit(141);
  process.stderr.write(`error: the output could not be written: ${message}\n`);
  process.exit(EXIT.failed);
});
process.exitCode = await runCommand(process.argv.slice(2));
