import type { Fence } from '../../chassis/index.ts';
import { otherSide } from '../../routing/side.ts';
import type { Move } from './explore.ts';
import { tellAll } from './facades.ts';
import { fault, goesOn, save, sideNames } from './world.ts';
import type { Coordinator, Rules, Run, Side, Tokens, World } from './world.ts';

type Acting = Extract<Coordinator, { at: 'acting' }>;

/** What a coordinator may do, or what may be done to it. */
export function* coordinatorMoves(
  world: World,
  index: number,
  rules: Rules,
): Iterable<Move<World>> {
  const coordinator = world.coordinators[index] as Coordinator;
  // As long as somebody is left to take over: of a world without coordinator nothing can be said.
  if (coordinator.at !== 'out' && world.takeoversLeft > 0) {
    yield fault(put(world, index, { at: 'out' }));
  }
  for (const next of [
    ...takeOver(world, index, coordinator),
    ...advance(world, index, coordinator, rules),
  ]) {
    yield goesOn(next);
  }
}

function put(world: World, index: number, coordinator: Coordinator): World {
  const [first, second] = world.coordinators;
  return {
    ...world,
    coordinators: index === 0 ? [coordinator, second] : [first, coordinator],
  };
}

/**
 * Takes the lease of one side, then of the other, and acts once it has both. The other coordinator
 * may well be alive: it was paused for longer than its lease, and is a zombie from here on.
 */
function takeOver(world: World, index: number, coordinator: Coordinator): World[] {
  if (coordinator.at === 'out' && world.takeoversLeft > 0) {
    const legacyToken = world.legacy.token + 1;
    const legacy = save({ ...world.legacy, token: legacyToken });
    const left = { ...world, legacy, takeoversLeft: world.takeoversLeft - 1 };
    return [put(left, index, { at: 'taking over', legacyToken })];
  }
  if (coordinator.at !== 'taking over') return [];
  const token = world.extracted.token + 1;
  const extracted = save({ ...world.extracted, token });
  const tokens = { legacy: coordinator.legacyToken, extracted: token };
  return [put({ ...world, extracted }, index, { at: 'idle', tokens })];
}

function advance(world: World, index: number, coordinator: Coordinator, rules: Rules): World[] {
  switch (coordinator.at) {
    case 'out':
    case 'taking over':
      return [];
    case 'idle':
      return begin(world, index, coordinator.tokens, rules);
    case 'reading': {
      const { at: _, ...rest } = coordinator;
      const target = world[otherSide(coordinator.source)];
      const seen = { target: target.fence, applied: target.applied };
      return [put(world, index, { ...rest, ...seen, at: 'half-read' })];
    }
    case 'half-read':
      // A deadline may have passed, somebody may ask for it to be taken back, or neither.
      return [null, 'late'].map((abort) => {
        const { at: _, target, applied, ...rest } = coordinator;
        const { fence, handover } = world[coordinator.source];
        const mine = handover?.epoch === coordinator.epoch ? handover : null;
        const facts = { ...rest, source: fence, target, applied, handover: mine, abort };
        return put(world, index, { ...rest, at: 'acting', action: rules.decide(facts) });
      });
    default:
      return act(world, index, coordinator, rules);
  }
}

/** Goes on with an unfinished handover, or begins one from whichever side is open. */
function begin(world: World, index: number, tokens: Tokens, rules: Rules): World[] {
  const unfinished = sideNames.find((name) => world[name].handover !== null);
  const source = unfinished ?? sideNames.find((name) => world[name].fence.state === 'open');
  if (source === undefined) return [];
  const side = world[source];
  const started = {
    at: 'reading',
    tokens,
    source,
    held: false,
    published: false,
    settled: false,
  } as const;
  if (side.handover) return [put(world, index, { ...started, epoch: side.handover.epoch })];
  if (world.handoversLeft === 0 || !mayAct(side, tokens[source], rules)) return [];
  const epoch = side.fence.epoch + 1;
  const recorded = save({ ...side, handover: { epoch, position: null } });
  return [
    put({ ...world, [source]: recorded, handoversLeft: world.handoversLeft - 1 }, index, {
      ...started,
      epoch,
    }),
  ];
}

const mayAct = (side: Side, token: number, rules: Rules): boolean =>
  !rules.checksLease || side.token === token;

/** One transaction, guarded as `SideStore` guards it; refused, it has no effect. */
function act(world: World, index: number, coordinator: Acting, rules: Rules): World[] {
  const { action, source, epoch, tokens } = coordinator;
  const token = tokens[source];
  const { at: _, action: __, ...rest } = coordinator;
  const side = world[source];
  const again = (change: World, local: Partial<Run> = {}): World =>
    put(change, index, { ...rest, ...local, at: 'reading' });
  const idle = put(world, index, { at: 'idle', tokens });
  const unchanged = [again(world)];
  const move = (from: Fence, to: Fence): World[] => {
    const equal = side.fence.state === from.state && side.fence.epoch === from.epoch;
    const allowed = mayAct(side, token, rules) && (equal || !rules.comparesFence);
    if (!allowed) return unchanged;
    return [again({ ...world, [source]: save({ ...side, fence: to }) })];
  };
  switch (action.kind) {
    case 'hold':
      return [again(tellAll(world, { holding: true }), { held: true })];
    case 'close':
      return move({ state: 'open', epoch: epoch - 1 }, { state: 'closed', epoch });
    case 'recordPosition': {
      if (!mayAct(side, token, rules) || side.handover?.epoch !== epoch) return unchanged;
      if (side.fence.state === 'open' && rules.recordsBehindFence) return unchanged;
      // Not waited for until it is on disk: behind a closed fence it will be the same again.
      const handover = { epoch, position: side.written };
      return [again({ ...world, [source]: { ...side, handover } })];
    }
    case 'awaitApplied': {
      const name = otherSide(source);
      const target = world[name];
      if (target.applied < action.position) return unchanged;
      return [again({ ...world, [name]: save(target) }, { settled: true })];
    }
    case 'cede':
      return move({ state: 'closed', epoch }, { state: 'ceded', epoch });
    case 'abort': {
      const from = action.from === 'open' ? epoch - 1 : epoch;
      const to = rules.abortRaises ? epoch + 1 : epoch - 1;
      return move({ state: action.from, epoch: from }, { state: 'open', epoch: to });
    }
    case 'open': {
      const name = otherSide(source);
      const target = world[name];
      const late = target.fence.state === 'open' || target.fence.epoch >= epoch;
      if (late && rules.opensBelow) return unchanged;
      const opened: Side = { ...target, fence: { state: 'open', epoch } };
      return [again({ ...world, [name]: rules.keepsOpening ? save(opened) : opened })];
    }
    case 'publish': {
      const owner = world[source].fence.state === 'open' ? source : otherSide(source);
      return [again(tellAll(world, { believed: owner, holding: false }), { published: true })];
    }
    case 'finish': {
      if (!mayAct(side, token, rules) || side.handover?.epoch !== epoch) return [idle];
      const ended = { ...world, [source]: save({ ...side, handover: null }) };
      return [put(ended, index, { at: 'idle', tokens })];
    }
    default:
      return [idle];
  }
}
