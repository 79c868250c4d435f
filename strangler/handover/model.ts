import type { Fence } from '../../chassis/index.ts';
import type { SideName } from '../side.ts';
import { otherSide } from '../side.ts';
import type { Action } from './decide.ts';
import type { Facts } from './facts.ts';

/**
 * A model of two databases, the writers, the applier, a facade, and two coordinators that run
 * `decide`, of which one may be a zombie that lost its lease without noticing. Every transaction
 * is one atomic move; between any two of them, anything else may happen, a crash included.
 */
export interface World {
  readonly legacy: Side;
  readonly extracted: Side;
  readonly coordinators: readonly [Coordinator, Coordinator];
  /** Whom the facade takes for the owner. Messages to it may be lost. */
  readonly believed: SideName;
  readonly writesLeft: number;
  readonly handoversLeft: number;
  readonly takeoversLeft: number;
  readonly powerCutsLeft: number;
}

interface Side {
  readonly fence: Fence;
  /** Acknowledged writes taken here, in feed order: how many. */
  readonly written: number;
  /** How many of the other side's writes have been applied here. */
  readonly applied: number;
  /** How many of these would survive a power cut. */
  readonly durable: number;
  readonly token: number;
  readonly handover: { readonly epoch: number; readonly position: number | null } | null;
}

/** The leases a coordinator believes to hold, one in each database. */
type Tokens = Readonly<Record<SideName, number>>;

/** One run for one handover, and what it remembers: no more than `decide` is told. */
interface Run extends Pick<Facts, 'held' | 'published' | 'settled'> {
  readonly tokens: Tokens;
  readonly source: SideName;
  readonly epoch: number;
}

type Coordinator =
  | { readonly at: 'out' }
  | { readonly at: 'taking over'; readonly legacyToken: number }
  | { readonly at: 'idle'; readonly tokens: Tokens }
  | (Run & { readonly at: 'reading' })
  | (Run & { readonly at: 'half-read'; readonly target: Fence; readonly applied: number })
  | (Run & { readonly at: 'acting'; readonly action: Action });

type Acting = Extract<Coordinator, { at: 'acting' }>;

/** The code under test, and the guards of the store that a mutant may leave out. */
export interface Rules {
  readonly decide: (facts: Facts) => Action;
  readonly checksLease: boolean;
  readonly comparesFence: boolean;
}

export interface Limits {
  readonly writes: number;
  readonly handovers: number;
  readonly takeovers: number;
  /** At a database alone: its unsaved work is lost, and everybody else goes on. */
  readonly powerCuts: number;
}

export function firstWorld({ writes, handovers, takeovers, powerCuts }: Limits): World {
  const side = { written: 0, applied: 0, durable: 0, token: 1, handover: null };
  return {
    legacy: { ...side, fence: { state: 'open', epoch: 1 } },
    extracted: { ...side, fence: { state: 'closed', epoch: 0 } },
    coordinators: [{ at: 'idle', tokens: { legacy: 1, extracted: 1 } }, { at: 'out' }],
    believed: 'legacy',
    writesLeft: writes,
    handoversLeft: handovers,
    takeoversLeft: takeovers,
    powerCutsLeft: powerCuts,
  };
}

/** Equal for equal worlds. */
export function keyOf({
  legacy,
  extracted,
  coordinators: [first, second],
  ...rest
}: World): string {
  const { believed, writesLeft, handoversLeft, takeoversLeft, powerCutsLeft } = rest;
  // Without another power cut to come, it does not matter what would survive one.
  const fragile = powerCutsLeft > 0;
  const sides = `${keyOfSide(legacy, fragile)}/${keyOfSide(extracted, fragile)}`;
  const left = `${believed}${writesLeft}${handoversLeft}${takeoversLeft}${powerCutsLeft}`;
  return `${sides}/${keyOfCoordinator(first)}/${keyOfCoordinator(second)}/${left}`;
}

function keyOfSide(side: Side, fragile: boolean): string {
  const { fence, written, applied, durable, token, handover } = side;
  const record = handover === null ? '' : `${handover.epoch},${handover.position}`;
  return `${fence.state}${fence.epoch},${written},${applied},${fragile ? durable : ''},${token},${record}`;
}

function keyOfCoordinator(coordinator: Coordinator): string {
  if (coordinator.at === 'out') return '';
  if (coordinator.at === 'taking over') return `${coordinator.legacyToken}`;
  const tokens = `${coordinator.at},${coordinator.tokens.legacy},${coordinator.tokens.extracted}`;
  if (coordinator.at === 'idle') return tokens;
  const { source, epoch } = coordinator;
  const memory = [coordinator.held, coordinator.published, coordinator.settled].join();
  const run = `${tokens},${source}${epoch},${memory}`;
  if (coordinator.at === 'reading') return run;
  if (coordinator.at === 'acting') return run + JSON.stringify(coordinator.action);
  const { target, applied } = coordinator;
  return `${run},${target.state}${target.epoch},${applied}`;
}

/** What is wrong with a world; undefined when it is safe. */
export function violation({ legacy, extracted }: World): string | undefined {
  if (legacy.fence.state === 'open' && extracted.fence.state === 'open') return 'two open fences';
  if (legacy.fence.state === 'open' && legacy.applied < extracted.written) {
    return 'legacy is open without an acknowledged write of extracted';
  }
  if (extracted.fence.state === 'open' && extracted.applied < legacy.written) {
    return 'extracted is open without an acknowledged write of legacy';
  }
  return undefined;
}

/** Whether nothing is left to do: one owner, and no handover under way. */
export function settled({ legacy, extracted }: World): boolean {
  const open = [legacy, extracted].filter(({ fence }) => fence.state === 'open').length;
  return open === 1 && legacy.handover === null && extracted.handover === null;
}

const sideNames: readonly SideName[] = ['legacy', 'extracted'];

/** Every world that one atomic move can lead to. */
export function successors(world: World, rules: Rules): World[] {
  return [
    ...sideNames.flatMap((side) => [
      ...write(world, side),
      ...apply(world, side),
      ...cutPower(world, side),
    ]),
    ...facadeWrite(world),
    ...world.coordinators.flatMap((coordinator, index) => [
      ...crash(world, index, coordinator),
      ...takeOver(world, index, coordinator),
      ...advance(world, index, coordinator, rules),
    ]),
  ];
}

/** A writer past the facade: a script, a cron job, a request already on its way. */
function write(world: World, name: SideName): World[] {
  const side = world[name];
  if (side.fence.state !== 'open' || world.writesLeft === 0) return [];
  const written = { ...side, written: side.written + 1 };
  return [{ ...world, [name]: written, writesLeft: world.writesLeft - 1 }];
}

/** A refusal teaches the facade that the other side may be the owner. */
function facadeWrite(world: World): World[] {
  if (world[world.believed].fence.state === 'open') return write(world, world.believed);
  return [{ ...world, believed: otherSide(world.believed) }];
}

function apply(world: World, name: SideName): World[] {
  const side = world[name];
  if (side.applied >= world[otherSide(name)].written) return [];
  return [{ ...world, [name]: { ...side, applied: side.applied + 1 } }];
}

function cutPower(world: World, name: SideName): World[] {
  const side = world[name];
  if (world.powerCutsLeft === 0 || side.applied === side.durable) return [];
  const lost = { ...side, applied: side.durable };
  return [{ ...world, [name]: lost, powerCutsLeft: world.powerCutsLeft - 1 }];
}

function put(world: World, index: number, coordinator: Coordinator): World {
  const [first, second] = world.coordinators;
  return {
    ...world,
    coordinators: index === 0 ? [coordinator, second] : [first, coordinator],
  };
}

/** As long as somebody is left to take over: nothing can be said of a world without coordinator. */
function crash(world: World, index: number, coordinator: Coordinator): World[] {
  if (coordinator.at === 'out' || world.takeoversLeft === 0) return [];
  return [put(world, index, { at: 'out' })];
}

/**
 * Takes the lease of one side, then of the other, and acts once it has both. The other coordinator
 * may well be alive: it was paused for longer than its lease, and is a zombie from here on.
 */
function takeOver(world: World, index: number, coordinator: Coordinator): World[] {
  if (coordinator.at === 'out' && world.takeoversLeft > 0) {
    const legacyToken = world.legacy.token + 1;
    const legacy = { ...world.legacy, token: legacyToken };
    const left = { ...world, legacy, takeoversLeft: world.takeoversLeft - 1 };
    return [put(left, index, { at: 'taking over', legacyToken })];
  }
  if (coordinator.at !== 'taking over') return [];
  const token = world.extracted.token + 1;
  const extracted = { ...world.extracted, token };
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
      // A deadline may have passed, or not: both are explored.
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
  const recorded = { ...side, handover: { epoch, position: null } };
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
    return allowed ? [again({ ...world, [source]: { ...side, fence: to } })] : unchanged;
  };
  switch (action.kind) {
    case 'hold':
      return [again(world, { held: true })];
    case 'close':
      return move({ state: 'open', epoch: epoch - 1 }, { state: 'closed', epoch });
    case 'recordPosition': {
      if (!mayAct(side, token, rules) || side.handover?.epoch !== epoch) return unchanged;
      const handover = { epoch, position: side.written };
      return [again({ ...world, [source]: { ...side, handover } })];
    }
    case 'awaitApplied': {
      const name = otherSide(source);
      const target = world[name];
      if (target.applied < action.position) return unchanged;
      const kept = { ...target, durable: target.applied };
      return [again({ ...world, [name]: kept }, { settled: true })];
    }
    case 'cede':
      return move({ state: 'closed', epoch }, { state: 'ceded', epoch });
    case 'abort': {
      const from = action.from === 'open' ? epoch - 1 : epoch;
      return move({ state: action.from, epoch: from }, { state: 'open', epoch: epoch + 1 });
    }
    case 'open': {
      const name = otherSide(source);
      const target = world[name];
      if (target.fence.state === 'open' || target.fence.epoch >= epoch) return unchanged;
      // A durable commit takes with it what was committed before.
      const opened: Side = { ...target, durable: target.applied, fence: { state: 'open', epoch } };
      return [again({ ...world, [name]: opened })];
    }
    case 'publish': {
      const owner = world[source].fence.state === 'open' ? source : otherSide(source);
      // Delivered, or lost on its way.
      return [
        again({ ...world, believed: owner }, { published: true }),
        again(world, { published: true }),
      ];
    }
    case 'finish': {
      if (!mayAct(side, token, rules) || side.handover?.epoch !== epoch) return [idle];
      return [
        put({ ...world, [source]: { ...side, handover: null } }, index, { at: 'idle', tokens }),
      ];
    }
    default:
      return [idle];
  }
}
