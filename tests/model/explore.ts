/** One atomic change. A fault may happen, and what must not fail must not rely on one. */
export interface Move<State> {
  readonly to: State;
  readonly fault: boolean;
}

/** What an exhaustive search found. */
export interface Exploration<State> {
  readonly states: number;
  readonly moves: number;
  /** The shortest way to a state that breaks a rule, from the first state on. */
  readonly counterexample: { readonly rule: string; readonly path: readonly State[] } | undefined;
}

interface Question<State> {
  readonly first: State;
  readonly next: (state: State) => Iterable<Move<State>>;
  /** Equal for equal states, and for those that only differ in who of several alike is which. */
  readonly key: (state: State) => string;
  /** What is wrong with a state, if anything. */
  readonly violation: (state: State) => string | undefined;
  /** States one of which must stay within reach, whatever has happened, by moves without fault. */
  readonly goal: (state: State) => boolean;
}

/**
 * Visits every reachable state, breadth first, and then looks for states from which no goal can be
 * reached any more without another fault (AG EF goal).
 */
export function explore<State>(question: Question<State>): Exploration<State> {
  const { first, next, key, violation, goal } = question;
  const index = new Map<string, number>([[key(first), 0]]);
  const states: State[] = [first];
  const parents: number[] = [-1];
  const [from, to]: [number[], number[]] = [[], []];
  let moves = 0;
  const found = (rule: string, at: number): Exploration<State> => {
    const path: State[] = [];
    for (let step = at; step !== -1; step = parents[step] ?? -1)
      path.unshift(states[step] as State);
    return { states: states.length, moves, counterexample: { rule, path } };
  };
  for (let at = 0; at < states.length; at += 1) {
    const rule = violation(states[at] as State);
    if (rule !== undefined) return found(rule, at);
    for (const move of next(states[at] as State)) {
      moves += 1;
      const name = key(move.to);
      let known = index.get(name);
      if (known === undefined) {
        known = states.length;
        index.set(name, known);
        states.push(move.to);
        parents.push(at);
      }
      if (move.fault) continue;
      from.push(at);
      to.push(known);
    }
  }
  const stuck = unreached(states, goal, from, to);
  return stuck === -1
    ? { states: states.length, moves, counterexample: undefined }
    : found('stuck', stuck);
}

/** The first state from which no goal can be reached; -1 when there is none. */
function unreached<State>(
  states: readonly State[],
  goal: (state: State) => boolean,
  from: readonly number[],
  to: readonly number[],
): number {
  const { starts, sources } = backwards(states.length, from, to);
  const reaches = new Uint8Array(states.length);
  const queue: number[] = [];
  states.forEach((state, at) => {
    if (!goal(state)) return;
    reaches[at] = 1;
    queue.push(at);
  });
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    for (let edge = starts[at] as number; edge < (starts[at + 1] as number); edge += 1) {
      const before = sources[edge] as number;
      if (reaches[before] === 1) continue;
      reaches[before] = 1;
      queue.push(before);
    }
  }
  return reaches.indexOf(0);
}

/** Moves by where they lead: those to `state` come from sources[starts[state]...starts[state + 1]]. */
function backwards(
  count: number,
  from: readonly number[],
  to: readonly number[],
): { starts: Uint32Array; sources: Uint32Array } {
  const starts = new Uint32Array(count + 1);
  for (const state of to) starts[state + 1] = (starts[state + 1] as number) + 1;
  for (let state = 0; state < count; state += 1) {
    starts[state + 1] = (starts[state + 1] as number) + (starts[state] as number);
  }
  const next = starts.slice();
  const sources = new Uint32Array(to.length);
  to.forEach((state, edge) => {
    const place = next[state] as number;
    sources[place] = from[edge] as number;
    next[state] = place + 1;
  });
  return { starts, sources };
}
