import { z } from 'zod';

/**
 * How facades and the engine agree that writes are finished, where an application can't say FENCED:
 * each facade keeps a key of its own in Redis for as long as it lives, and says in it for which
 * handover nothing of it is under way any more. The names of all keys are in one set.
 */
export const FACADES_KEY = 'fig:doors';

/** The header by which a facade without Redis says the same, with each question to the engine: its id, a space, the text. */
export const DRAIN_HEADER = 'x-fig-drain';

/** A facade that has not been heard of for so long is gone, paused or cut off, in ms. */
export const FACADE_TTL_MS = 3_000;

export function facadeKey(id: string): string {
  return `fig:door:${id}`;
}

const state = z.object({ finished: z.record(z.string(), z.number()) });

/** What a facade says of itself. */
export interface FacadeDrain {
  /** Capability -> epoch of the newest handover that its writes need not be waited for. */
  readonly finished: Readonly<Record<string, number>>;
}

export function drainText(door: FacadeDrain): string {
  return JSON.stringify(door);
}

/** @throws when it is none */
export function parseDrain(text: string): FacadeDrain {
  return state.parse(JSON.parse(text));
}
