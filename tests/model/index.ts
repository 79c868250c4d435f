import type { Move } from './explore.ts';
import { explore } from './explore.ts';
import type { Exploration } from './explore.ts';
import { coordinatorMoves } from './coordinators.ts';
import { facadeMoves } from './facades.ts';
import { createKey } from './key.ts';
import { sideMoves } from './sides.ts';
import { firstWorld, settled, sideNames, violation } from './world.ts';
import type { Limits, Rules, World } from './world.ts';

export type { Exploration } from './explore.ts';
export type { Limits, Rules, World } from './world.ts';

/** Explores every world that is within reach of the first one, under the rules of `rules`. */
export function exploreHandovers(rules: Rules, limits: Limits): Exploration<World> {
  return explore({
    first: firstWorld(limits),
    next: (world) => moves(world, rules),
    key: createKey(),
    violation,
    goal: settled,
  });
}

/** Every atomic move that is possible in a world. */
function* moves(world: World, rules: Rules): Iterable<Move<World>> {
  for (const side of sideNames) yield* sideMoves(world, side);
  for (let index = 0; index < world.facades.length; index += 1) {
    yield* facadeMoves(world, index, rules);
  }
  for (const index of [0, 1]) yield* coordinatorMoves(world, index, rules);
}
