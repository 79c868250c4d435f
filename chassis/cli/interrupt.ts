import { EXIT } from './exit.ts';

const CODES = { SIGINT: EXIT.interrupted, SIGTERM: 143 } as const;
type Signal = keyof typeof CODES;
const SIGNALS = Object.keys(CODES) as Signal[];

function end(signal: Signal): void {
  process.exit(CODES[signal]);
}

/** Has a signal end this process as it ends others, but with what is cleaned up at the end. */
export function endOnSignals(): void {
  for (const signal of SIGNALS) process.once(signal, end);
}

/** Leaves signals to a command that runs until one comes. */
export function leaveSignals(): void {
  for (const signal of SIGNALS) process.off(signal, end);
}
