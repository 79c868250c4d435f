import type { Fence } from '../../chassis/index.ts';
import type { SideName } from '../../routing/side.ts';
import type { Action } from '../../strangler/ownership/handover/decide.ts';
import type { Facts } from '../../strangler/ownership/handover/facts.ts';
import type { Move } from './explore.ts';

/**
 * A model of two databases, their writers, the applier, two facades, and two coordinators that run
 * `decide`, of which one may be a zombie that lost its lease without noticing. Every transaction is
 * one atomic move; between any two of them, anything else may happen, a crash included.
 */
export interface World {
  readonly legacy: Side;
  readonly extracted: Side;
  /** Engines, or `fig doctor` in place of one: whoever has the leases. */
  readonly coordinators: readonly [Coordinator, Coordinator];
  /** Empty where only writers past the facades are of interest. */
  readonly facades: readonly Facade[];
  readonly writesLeft: number;
  readonly handoversLeft: number;
  readonly takeoversLeft: number;
  readonly powerCutsLeft: number;
}

export interface Side extends Kept {
  /** Acknowledged writes taken here, in feed order: how many. Each of them survives a power cut. */
  readonly written: number;
  /** What would be left after a power cut: all that there was at the last commit that is waited for. */
  readonly saved: Kept;
}

interface Kept {
  readonly fence: Fence;
  /** How many of the other side's writes have been applied here. */
  readonly applied: number;
  readonly token: number;
  readonly handover: { readonly epoch: number; readonly position: number | null } | null;
}

/** The leases a coordinator believes to hold, one in each database. */
export type Tokens = Readonly<Record<SideName, number>>;

/** One run for one handover, and what it remembers: no more than `decide` is told. */
export interface Run extends Pick<Facts, 'held' | 'published' | 'settled'> {
  readonly tokens: Tokens;
  readonly source: SideName;
  readonly epoch: number;
}

export type Coordinator =
  | { readonly at: 'out' }
  | { readonly at: 'taking over'; readonly legacyToken: number }
  | { readonly at: 'idle'; readonly tokens: Tokens }
  | (Run & { readonly at: 'reading' })
  | (Run & { readonly at: 'half-read'; readonly target: Fence; readonly applied: number })
  | (Run & { readonly at: 'acting'; readonly action: Action });

/**
 * One that does not move is paused. What it has heard may be late, lost, or of another time: it may
 * believe anything at any time, and what it believes must never matter but for the time it takes.
 */
export interface Facade {
  readonly believed: SideName;
  /** Whether it was asked to hold writes. */
  readonly holding: boolean;
  /** Whether a client waits for the answer to a write. */
  readonly waiting: boolean;
}

/** The code under test, and what a mutant may leave out. */
export interface Rules {
  readonly decide: (facts: Facts) => Action;
  readonly checksLease: boolean;
  readonly comparesFence: boolean;
  /** Whether the store refuses to record a position while the fence is open. */
  readonly recordsBehindFence: boolean;
  /** Whether taking back opens the source above the handover's epoch, not where it was before. */
  readonly abortRaises: boolean;
  /** Whether a target opens only below the handover's epoch. */
  readonly opensBelow: boolean;
  /** Whether the target's opening is waited for until it would survive a power cut. */
  readonly keepsOpening: boolean;
  /** Whether a facade that hears nothing asks the fence in the end. */
  readonly facadesAsk: boolean;
}

export interface Limits {
  readonly writes: number;
  readonly handovers: number;
  readonly takeovers: number;
  /** At a database alone: its unsaved work is lost, and everybody else goes on. */
  readonly powerCuts: number;
  readonly facades: 0 | 1 | 2;
}

export function firstWorld({ writes, handovers, takeovers, powerCuts, facades }: Limits): World {
  const side = (fence: Fence): Side => {
    const kept = { fence, applied: 0, token: 1, handover: null };
    return { ...kept, written: 0, saved: kept };
  };
  return {
    legacy: side({ state: 'open', epoch: 1 }),
    extracted: side({ state: 'closed', epoch: 0 }),
    coordinators: [{ at: 'idle', tokens: { legacy: 1, extracted: 1 } }, { at: 'out' }],
    facades: Array.from({ length: facades }, () => NEW_FACADE),
    writesLeft: writes,
    handoversLeft: handovers,
    takeoversLeft: takeovers,
    powerCutsLeft: powerCuts,
  };
}

export const NEW_FACADE: Facade = { believed: 'legacy', holding: false, waiting: false };

export const sideNames: readonly SideName[] = ['legacy', 'extracted'];

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

/** Whether nothing is left to do: one owner, no handover under way, no client that waits. */
export function settled({ legacy, extracted, facades }: World): boolean {
  const open = [legacy, extracted].filter(({ fence }) => fence.state === 'open').length;
  const waiting = facades.some((facade) => facade.waiting);
  return open === 1 && !waiting && legacy.handover === null && extracted.handover === null;
}

/** A commit that is waited for takes with it what was committed before. */
export function save(side: Side): Side {
  const { fence, applied, token, handover } = side;
  return { ...side, saved: { fence, applied, token, handover } };
}

export const goesOn = <State>(to: State): Move<State> => ({ to, fault: false });
export const fault = <State>(to: State): Move<State> => ({ to, fault: true });
