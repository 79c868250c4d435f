import type { Environment } from './env.ts';

/** Whether text may be coloured: not where a person asked for none, or the terminal knows none. */
export function wantsColour(env: Environment): boolean {
  return !env['NO_COLOR'] && env['TERM'] !== 'dumb';
}

/** Whether a line can be drawn again in place: on a terminal that can move its cursor. */
export function canRedraw(
  { isTTY }: { readonly isTTY?: boolean | undefined },
  env: Environment,
): boolean {
  return isTTY === true && env['TERM'] !== 'dumb';
}
