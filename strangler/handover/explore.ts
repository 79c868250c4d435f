/** What an exhaustive search found. */
export interface Exploration<State> {
  readonly states: number;
  /** The shortest way to a state that breaks a rule, from the first state on. */
  readonly counterexample: { readonly rule: string; readonly path: readonly State[] } | undefined;
}

interface Question<State> {
  readonly first: State;
  readonly next: (state: State) => readonly State[];
  /** Equal for equal states. */
  readonly key: (state: State) => string;
  /** What is wrong with a state, if anything. */
  readonly violation: (state: State) => string | undefined;
  /** States one of which must stay within reach, whatever has happened. */
  readonly goal: (state: State) => boolean;
}

/**
 * Visits every reachable state, breadth first, and then looks for states from which no goal can be
 * reached any more (AG EF goal).
 */
export function explore<State>({
  first,
  next,
  key,
  violation,
  goal,
}: Question<State>): Exploration<State> {
  const index = new Map<string, number>([[key(first), 0]]);
  const states: State[] = [first];
  const parents: number[] = [-1];
  const predecessors: number[][] = [[]];
  const path = (from: number): State[] => {
    const steps: State[] = [];
    for (let at = from; at !== -1; at = parents[at] ?? -1) steps.unshift(states[at] as State);
    return steps;
  };
  for (let at = 0; at < states.length; at += 1) {
    const rule = violation(states[at] as State);
    if (rule !== undefined) {
      return { states: states.length, counterexample: { rule, path: path(at) } };
    }
    for (const state of next(states[at] as State)) {
      const name = key(state);
      let known = index.get(name);
      if (known === undefined) {
        known = states.length;
        index.set(name, known);
        states.push(state);
        parents.push(at);
        predecessors.push([]);
      }
      predecessors[known]?.push(at);
    }
  }
  const stuck = unreached(states, predecessors, goal);
  return {
    states: states.length,
    counterexample: stuck === -1 ? undefined : { rule: 'stuck', path: path(stuck) },
  };
}

/** The first state from which no goal can be reached; -1 when there is none. */
function unreached<State>(
  states: readonly State[],
  predecessors: readonly (readonly number[])[],
  goal: (state: State) => boolean,
): number {
  const reaches = new Uint8Array(states.length);
  const queue: number[] = [];
  states.forEach((state, at) => {
    if (!goal(state)) return;
    reaches[at] = 1;
    queue.push(at);
  });
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    for (const before of predecessors[at] ?? []) {
      if (reaches[before] === 1) continue;
      reaches[before] = 1;
      queue.push(before);
    }
  }
  return reaches.indexOf(0);
}
