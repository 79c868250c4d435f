import { describe, expect, it } from '@jest/globals';
import { inSoak } from '../../../tests/support/index.ts';
import { decide } from './decide.ts';
import type { Action } from './decide.ts';
import type { Facts } from './facts.ts';
import { exploreHandovers } from '../../../tests/model/index.ts';
import type { Limits, Rules } from '../../../tests/model/index.ts';

const facts: Facts = {
  source: { state: 'open', epoch: 1 },
  target: { state: 'closed', epoch: 0 },
  handover: { epoch: 2, position: null },
  applied: 0,
  settled: false,
  abort: null,
  held: false,
  published: false,
};
const closed = { ...facts, source: { state: 'closed', epoch: 2 } } as const;
const positioned = { ...closed, handover: { epoch: 2, position: 7 } };
const ceded = { ...positioned, source: { state: 'ceded', epoch: 2 }, applied: 7 } as const;
const moved = { ...ceded, target: { state: 'open', epoch: 2 } } as const;
const takenBack = { ...facts, source: { state: 'open', epoch: 3 } } as const;

describe('the next step of a handover', () => {
  it.each<[string, Facts, Action['kind']]>([
    ['tells the facades first', facts, 'hold'],
    ['then closes the source', { ...facts, held: true }, 'close'],
    ['reads the position once closed', closed, 'recordPosition'],
    ['waits until it is applied', { ...positioned, applied: 6 }, 'awaitApplied'],
    ['waits until that is on disk', { ...positioned, applied: 7 }, 'awaitApplied'],
    ['cedes', { ...positioned, applied: 7, settled: true }, 'cede'],
    ['opens the target', ceded, 'open'],
    ['publishes the owner', moved, 'publish'],
    ['finishes', { ...moved, published: true }, 'finish'],
    ['has nothing to do without a handover', { ...facts, handover: null }, 'nothing'],
    ['takes back an open source', { ...facts, abort: 'late' }, 'abort'],
    ['takes back a closed source', { ...positioned, applied: 7, abort: 'late' }, 'abort'],
    ['never takes back a ceded source', { ...ceded, abort: 'late' }, 'open'],
    ['never takes back a finished move', { ...moved, abort: 'late' }, 'publish'],
    ['publishes what was taken back', takenBack, 'publish'],
    ['finishes what was taken back', { ...takenBack, published: true }, 'finish'],
    ['alarms when both are open', { ...facts, target: { state: 'open', epoch: 4 } }, 'alarm'],
    ['alarms when none is open', { ...closed, handover: null }, 'alarm'],
    ['alarms at a foreign epoch', { ...facts, source: { state: 'ceded', epoch: 9 } }, 'alarm'],
  ])('%s', (_, given, kind) => {
    expect(decide(given).kind).toBe(kind);
  });
});

const right: Rules = {
  decide,
  checksLease: true,
  comparesFence: true,
  recordsBehindFence: true,
  abortRaises: true,
  opensBelow: true,
  keepsOpening: true,
  facadesAsk: true,
};
const small: Limits = { writes: 1, handovers: 1, takeovers: 1, powerCuts: 1, facades: 0 };

/**
 * Two databases, writers past the facades, an applier, and two coordinators that stop anywhere and go
 * on any time later, one of them as a zombie. Who takes over may as well be `fig doctor --repair`, and
 * before each step somebody may ask by hand for the handover to be taken back. Facades are killed,
 * paused, and told anything: news that is lost, late, or long past is a belief they might have.
 */
describe('every interleaving of two coordinators, facades, writers, crashes and lost messages', () => {
  it.each<[string, Limits, number]>(
    inSoak(
      [
        ['a power cut', { ...small, writes: 2 }, 88_756],
        ['forward and back', { ...small, handovers: 2, powerCuts: 0 }, 64_380],
        ['three coordinators in turn', { ...small, takeovers: 2, powerCuts: 0 }, 60_205],
        ['two facades', { ...small, powerCuts: 0, facades: 2 }, 179_000],
        ['a power cut, one write', small, 31_396],
      ],
      [['a facade', { ...small, takeovers: 0, powerCuts: 0, facades: 1 }, 1_248]],
    ),
  )(
    'keeps one owner with all acknowledged writes, and nobody waits for ever: %s, %j, %i states',
    (_, limits, states) => {
      const exploration = exploreHandovers(right, limits);
      expect(exploration.counterexample).toBeUndefined();
      expect(exploration.states).toBe(states);
    },
    60_000,
  );

  const flawed = (change: (given: Facts, action: Action) => Action): Rules => ({
    ...right,
    decide: (given) => change(given, decide(given)),
  });

  it.each<[string, Rules, string, Partial<Limits>?]>([
    [
      'takes back after the cede, past the compare-and-set',
      {
        ...flawed((given, action) =>
          given.source.state === 'ceded' && given.abort !== null
            ? { kind: 'abort', from: 'closed', reason: given.abort }
            : action,
        ),
        comparesFence: false,
      },
      'two open fences',
    ],
    [
      'does not wait for what was written last',
      flawed((_, action) => (action.kind === 'awaitApplied' ? { kind: 'cede' } : action)),
      'without an acknowledged write',
    ],
    [
      'cedes before the target has saved its copy',
      flawed((given, action) =>
        action.kind === 'awaitApplied' && given.applied >= action.position
          ? { kind: 'cede' }
          : action,
      ),
      'without an acknowledged write',
    ],
    [
      'gives up when the source is closed',
      flawed((given, action) => (given.source.state === 'closed' ? { kind: 'nothing' } : action)),
      'stuck',
    ],
    [
      'takes back to the epoch from before, so that a late close compares equal',
      { ...right, abortRaises: false },
      'without an acknowledged write',
    ],
    [
      'forgets the handover when the source has ceded',
      flawed((_, action) =>
        action.kind === 'open' ? { kind: 'finish', outcome: 'done' } : action,
      ),
      'stuck',
    ],
    [
      'leaves held writes to news that may be lost',
      { ...right, facadesAsk: false },
      'stuck',
      { facades: 1, takeovers: 0, powerCuts: 0 },
    ],
    // Found after many more states.
    ...inSoak<[string, Rules, string, Partial<Limits>?][]>(
      [
        [
          'opens the target without the cede',
          flawed((_, action) => (action.kind === 'cede' ? { kind: 'open' } : action)),
          'two open fences',
        ],
        [
          'reads the position before the close',
          {
            ...flawed((given, action) =>
              action.kind === 'close' && given.handover?.position === null
                ? { kind: 'recordPosition' }
                : action,
            ),
            recordsBehindFence: false,
          },
          'without an acknowledged write',
        ],
        [
          'moves fences blindly',
          { ...right, checksLease: false, comparesFence: false },
          'two open fences|without an acknowledged write',
        ],
        [
          'opens a target that has moved on since',
          { ...right, opensBelow: false },
          'two open fences|without an acknowledged write',
          { handovers: 2, powerCuts: 0 },
        ],
        [
          'does not wait until the opening would survive a power cut',
          { ...right, keepsOpening: false },
          'stuck',
        ],
      ],
      [],
    ),
  ])('finds the bug of one that %s', (_, rules, expected, more = {}) => {
    const { counterexample } = exploreHandovers(rules, { ...small, ...more });
    expect(counterexample?.rule).toMatch(new RegExp(expected));
  });
});
