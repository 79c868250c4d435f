import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import type { Move } from './explore.ts';
import { fault, goesOn, save } from './world.ts';
import type { World } from './world.ts';

/** What may happen in one database while nobody moves its fence. */
export function* sideMoves(world: World, name: SideName): Iterable<Move<World>> {
  const side = world[name];
  // A writer past the facades: a script, a cron job, a request already on its way.
  if (side.fence.state === 'open' && world.writesLeft > 0) {
    yield goesOn({ ...write(world, name), writesLeft: world.writesLeft - 1 });
  }
  if (side.applied < world[otherSide(name)].written) {
    yield goesOn({ ...world, [name]: { ...side, applied: side.applied + 1 } });
  }
  // Everybody else goes on.
  if (world.powerCutsLeft > 0) {
    const left = { ...side, ...side.saved };
    yield fault({ ...world, [name]: left, powerCutsLeft: world.powerCutsLeft - 1 });
  }
}

/** A write that is acknowledged. */
export function write(world: World, name: SideName): World {
  const side = world[name];
  return { ...world, [name]: save({ ...side, written: side.written + 1 }) };
}
