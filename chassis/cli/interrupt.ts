import { EXIT } from './exit.ts';

const CODES = { SIGINT: EXIT.interrupted, SIGTERM: 143 } as const;
type Signal = keyof typeof CODES;
const SIGNALS = Object.keys(CODES) as Signal[];

function end(signal: Signal): void {
  process.exit(CODES[signal]);
}

/**
 * A reader such as `head` may have had enough, which ends a program as SIGPIPE does; what else goes wrong
 * with the output, such as a full disk, is an error: who reads it must not take half of it for all.
 */
function endUnread({ code, message }: NodeJS.ErrnoException): void {
  if (code === 'EPIPE') process.exit(141);
  process.stderr.write(`error: the output could not be written: ${message}\n`);
  process.exit(EXIT.failed);
}

/** Has signals, and output that can't be written, end this process as they end others, but with what is cleaned up at the end. */
export function endWhenInterrupted(): void {
  for (const signal of SIGNALS) process.once(signal, end);
  process.stdout.on('error', endUnread);
}

/** Leaves both to a command that runs until one comes. */
export function leaveInterrupts(): void {
  for (const signal of SIGNALS) process.off(signal, end);
  process.stdout.off('error', endUnread);
}
