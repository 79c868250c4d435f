import { FenceRows, merged, movable, REST, rowsOf } from '../../strangler/ownership/fence-rows.ts';
import type { KeyFence, Keys } from '../../strangler/ownership/fence-rows.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import type { Fence } from '../../chassis/index.ts';
import { decide } from '../../strangler/ownership/handover/decide.ts';
import type { Action } from '../../strangler/ownership/handover/decide.ts';
import { explore } from './explore.ts';
import type { Exploration, Move } from './explore.ts';
import { fault, goesOn, sideNames } from './world.ts';

/**
 * A second, smaller model: a key that has a fence of its own and one that has not, while sets of them
 * move to and fro. One coordinator, which may forget everything between any two transactions; what
 * zombies, facades and power cuts can do to one set, the first model shows.
 */
export interface CohortWorld {
  readonly legacy: CohortSide;
  readonly extracted: CohortSide;
  readonly run: CohortRun | null;
  readonly writesLeft: number;
  readonly handoversLeft: number;
}

interface CohortSide {
  readonly rows: readonly KeyFence[];
  /** The keys of acknowledged writes, in feed order. */
  readonly feed: string;
  /** How many of the other side's have been applied. */
  readonly applied: number;
  readonly record: Wish | null;
}

/** A handover that has begun. */
interface Wish {
  readonly to: SideName;
  readonly keys: Keys;
  readonly epoch: number;
  readonly position: number | null;
}

interface CohortRun {
  readonly to: SideName;
  readonly keys: Keys;
  /** Whether its target's keys have fences of their own by now, and it may begin. */
  readonly split: boolean;
  readonly published: boolean;
}

/** What a mutant does differently. */
export interface CohortRules {
  /** The fences that a step moves. */
  readonly moved: (keys: Keys) => Keys;
  /** The fences that an opening opens. */
  readonly opened: (keys: Keys) => Keys;
  readonly splits: boolean;
  readonly recordsBehindFence: boolean;
  /** What becomes of the fences of a side once a handover is done. */
  readonly merges: (rows: readonly KeyFence[]) => Fence | null;
  readonly epochAfter: (source: FenceRows, target: FenceRows) => number;
}

export const rightCohorts: CohortRules = {
  moved: (keys) => keys,
  opened: (keys) => keys,
  splits: true,
  recordsBehindFence: true,
  merges: merged,
  epochAfter: (source, target) => Math.max(source.epoch, target.epoch) + 1,
};

/** `A` is the key that may move by itself; all others are alike. */
const KEYS = ['A', 'B'] as const;
const WISHES: readonly (readonly [SideName, Keys])[] = [
  ['extracted', ['A']],
  ['extracted', null],
  ['legacy', ['A']],
  ['legacy', null],
];

/** Explores every world that is within reach. */
export function exploreCohorts(
  rules: CohortRules,
  limits: Pick<CohortWorld, 'writesLeft' | 'handoversLeft'>,
): Exploration<CohortWorld> {
  const side = (state: Fence['state'], epoch: number): CohortSide => {
    return { rows: [{ key: REST, state, epoch }], feed: '', applied: 0, record: null };
  };
  const first: CohortWorld = {
    legacy: side('open', 1),
    extracted: side('closed', 0),
    run: null,
    ...limits,
  };
  return explore({
    first,
    next: (world) => moves(world, rules),
    key: (world) => JSON.stringify(world),
    violation,
    goal: ({ legacy, extracted }) =>
      !legacy.record &&
      !extracted.record &&
      KEYS.every((key) => ownersOf({ legacy, extracted }, key).length === 1),
  });
}

const fences = ({ rows }: CohortSide): FenceRows => new FenceRows(rows);

function ownersOf(world: Pick<CohortWorld, SideName>, key: string): readonly SideName[] {
  return sideNames.filter((name) => fences(world[name]).of(key).state === 'open');
}

function violation(world: CohortWorld): string | undefined {
  for (const key of KEYS) {
    const owners = ownersOf(world, key);
    if (owners.length > 1) return `two owners of ${key}`;
    const [owner] = owners;
    if (owner === undefined) continue;
    const missed = world[otherSide(owner)].feed.slice(world[owner].applied);
    if (missed.includes(key)) return `${owner} owns ${key} without an acknowledged write`;
  }
  return undefined;
}

function* moves(world: CohortWorld, rules: CohortRules): Iterable<Move<CohortWorld>> {
  for (const name of sideNames) {
    const side = world[name];
    for (const key of KEYS) {
      if (world.writesLeft === 0 || fences(side).of(key).state !== 'open') continue;
      const written = { ...side, feed: side.feed + key };
      yield goesOn({ ...world, [name]: written, writesLeft: world.writesLeft - 1 });
    }
    if (side.applied < world[otherSide(name)].feed.length) {
      yield goesOn({ ...world, [name]: { ...side, applied: side.applied + 1 } });
    }
  }
  if (world.run === null) yield* beginnings(world);
  else {
    yield fault({ ...world, run: null });
    for (const to of advance(world, world.run, rules)) yield goesOn(to);
  }
}

/** Goes on with what is unfinished, or wants something new. */
function* beginnings(world: CohortWorld): Iterable<Move<CohortWorld>> {
  const record = world.legacy.record ?? world.extracted.record;
  if (record) {
    const { to, keys } = record;
    yield goesOn({ ...world, run: { to, keys, split: true, published: false } });
    return;
  }
  if (world.handoversLeft === 0) return;
  for (const [to, keys] of WISHES) {
    const source = fences(world[otherSide(to)]);
    const owns = keys ? source.of('A').state === 'open' : source.anyOpen;
    if (!owns) continue;
    const left = { ...world, handoversLeft: world.handoversLeft - 1 };
    yield goesOn({ ...left, run: { to, keys, split: false, published: false } });
  }
}

function split(side: CohortSide, keys: Keys): CohortSide {
  const rest = fences(side).rest;
  const fresh = (keys ?? []).filter((key) => !side.rows.some((row) => row.key === key));
  return { ...side, rows: [...side.rows, ...fresh.map((key) => ({ key, ...rest }))] };
}

/** The steps of one run, each one transaction of one database. */
function advance(world: CohortWorld, run: CohortRun, rules: CohortRules): CohortWorld[] {
  const { to, keys } = run;
  const from = otherSide(to);
  const [source, target] = [world[from], world[to]];
  const put = (change: Partial<CohortWorld>): CohortWorld => ({ ...world, ...change });
  const own = rules.splits ? keys : null;
  if (!run.split) return [put({ [to]: split(target, own), run: { ...run, split: true } })];
  const { record } = source;
  if (record === null) {
    if (target.record) return [put({ run: null })];
    const epoch = rules.epochAfter(fences(source), fences(target));
    return [
      put({ [from]: { ...split(source, own), record: { to, keys, epoch, position: null } } }),
    ];
  }
  const action = (abort: string | null): Action =>
    decide({
      source: fences(source).giving(keys, record.epoch),
      target: fences(target).taking(keys),
      handover: record,
      applied: target.applied,
      settled: true,
      abort,
      held: true,
      published: run.published,
    });
  return [null, 'late'].flatMap((abort) => take(world, { ...run, record }, action(abort), rules));
}

function take(
  world: CohortWorld,
  { record, ...run }: CohortRun & { readonly record: Wish },
  action: Action,
  rules: CohortRules,
): CohortWorld[] {
  const { to, keys } = run;
  const { epoch } = record;
  const from = otherSide(to);
  const [source, target] = [world[from], world[to]];
  const put = (
    name: SideName,
    side: Partial<CohortSide>,
    local: CohortRun | null = run,
  ): CohortWorld => {
    return { ...world, [name]: { ...world[name], ...side }, run: local };
  };
  const move = (start: Fence, end: Fence): CohortWorld[] => {
    const moving = movable(source.rows, { from: start, keys: rules.moved(keys) });
    if (moving === null) return [];
    const rows = source.rows.map((row) => (moving.includes(row) ? { ...row, ...end } : row));
    return [put(from, { rows })];
  };
  switch (action.kind) {
    case 'close':
      if (!rules.recordsBehindFence && record.position === null) {
        return [put(from, { record: { ...record, position: source.feed.length } })];
      }
      return move({ state: 'open', epoch: epoch - 1 }, { state: 'closed', epoch });
    case 'recordPosition':
      return [put(from, { record: { ...record, position: source.feed.length } })];
    case 'cede':
      return move({ state: 'closed', epoch }, { state: 'ceded', epoch });
    case 'abort': {
      const start = { state: action.from, epoch: action.from === 'open' ? epoch - 1 : epoch };
      return move(start, { state: 'open', epoch: epoch + 1 });
    }
    case 'open': {
      const pending = rowsOf(target.rows, rules.opened(keys)).filter(
        ({ state }) => state !== 'open',
      );
      const rows = target.rows.map((row): KeyFence =>
        pending.includes(row) ? { ...row, state: 'open', epoch } : row,
      );
      return pending.length === 0 ? [] : [put(to, { rows: keys ? rows : mergedRows(rows, rules) })];
    }
    case 'publish':
      return [{ ...world, run: { ...run, published: true } }];
    case 'finish': {
      const rows = action.outcome === 'done' ? mergedRows(source.rows, rules) : source.rows;
      return [put(from, { rows, record: null }, null)];
    }
    default:
      return [];
  }
}

function mergedRows(rows: readonly KeyFence[], { merges }: CohortRules): readonly KeyFence[] {
  const whole = merges(rows);
  return whole ? [{ key: REST, ...whole }] : rows;
}
