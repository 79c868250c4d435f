import { z } from 'zod';
import type { OperatorToken } from '../operator-token.ts';

const entry = z.object({
  version: z.string(),
  url: z.url({ protocol: /^https?$/ }),
  capabilities: z.array(z.string()),
  startedAt: z.iso.datetime(),
  beat: z.int(),
});

/** What a process of a service says of itself in Redis. */
export interface ServiceEntry {
  /** Which build of the program it is, see `codeVersion`. */
  readonly version: string;
  /** Where it is asked. */
  readonly url: string;
  readonly capabilities: readonly string[];
  /** ISO 8601 in UTC; for people. */
  readonly startedAt: string;
  /** Counts up for as long as the process is ready: who reads it needs no clock of another machine. */
  readonly beat: number;
}

/** How often a process that is ready writes its entry anew, in ms. */
export const BEAT_MS = 3_000;

/** The hash of a service's entries, by their URL. */
export function servicesKey(service: string): string {
  return `fig:services:${service}`;
}

/** An entry as it is stored: with the proof that a process with the operators' token wrote it. */
export function sealEntry(token: OperatorToken, service: string, told: ServiceEntry): string {
  return token.seal(`service:${service}`, JSON.stringify(told));
}

/** @returns undefined for what is no entry of that service, or comes without proof */
export function unsealEntry(
  token: OperatorToken,
  service: string,
  sealed: string,
): ServiceEntry | undefined {
  const text = token.unseal(`service:${service}`, sealed);
  if (text === undefined) return undefined;
  try {
    return entry.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
