import { z } from 'zod';

/**
 * How facades and the engine agree that writes are finished, where an application can't say FENCED:
 * each facade keeps a key of its own in Redis for as long as it lives, and says in it for which
 * handover nothing of it is under way any more. The names of all keys are in one set.
 */
export const DOORS = 'fig:doors';

/** A facade that has not been heard of for so long is gone, paused or cut off, in ms. */
export const DOOR_TTL_MS = 3_000;

export function doorKey(id: string): string {
  return `fig:door:${id}`;
}

const state = z.object({ finished: z.record(z.string(), z.number()) });

/** What a facade says of itself. */
export interface DoorState {
  /** Capability -> epoch of the newest handover that its writes need not be waited for. */
  readonly finished: Readonly<Record<string, number>>;
}

export function doorText(door: DoorState): string {
  return JSON.stringify(door);
}

/** @throws when it is none */
export function parseDoor(text: string): DoorState {
  return state.parse(JSON.parse(text));
}
