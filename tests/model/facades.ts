import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import type { Move } from './explore.ts';
import { write } from './sides.ts';
import { fault, goesOn, NEW_FACADE, sideNames } from './world.ts';
import type { Facade, Rules, World } from './world.ts';

/** What a facade may do, or what may be done to it. */
export function* facadeMoves(world: World, index: number, rules: Rules): Iterable<Move<World>> {
  const facade = world.facades[index] as Facade;
  const becomes = (change: Partial<Facade>, rest: World = world): World =>
    put(rest, index, { ...facade, ...change });
  if (!facade.waiting && world.writesLeft > 0) {
    const taken = { ...world, writesLeft: world.writesLeft - 1 };
    yield goesOn(becomes({ waiting: true }, taken));
  }
  if (facade.waiting && (!facade.holding || rules.facadesAsk)) {
    const { fence } = world[facade.believed];
    yield fence.state === 'open'
      ? goesOn(becomes({ waiting: false, holding: false }, write(world, facade.believed)))
      : // Refused: so it may be the other side.
        goesOn(becomes({ believed: otherSide(facade.believed) }));
  }
  // Killed, its client gets no answer; and news may be late or long past.
  if (facade !== NEW_FACADE) yield fault(put(world, index, NEW_FACADE));
  for (const believed of sideNames) {
    for (const holding of [true, false]) {
      if (facade.believed === believed && facade.holding === holding) continue;
      yield fault(becomes({ believed, holding }));
    }
  }
}

/** All of them hear it; that one has not is a fault that follows. */
export function tellAll(world: World, news: { believed?: SideName; holding: boolean }): World {
  return { ...world, facades: world.facades.map((facade) => ({ ...facade, ...news })) };
}

function put(world: World, index: number, facade: Facade): World {
  return { ...world, facades: world.facades.with(index, facade) };
}
