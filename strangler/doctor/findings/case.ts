import type { DatabaseFacts, EngineFacts } from '../facts.ts';
import type { Finding, Remedy } from '../finding.ts';

/** What findings about one capability are made from. */
export interface Case {
  readonly facts: DatabaseFacts;
  readonly engine: EngineFacts | null;
  /** Why the engine's port takes connections and sends no answer in time; null where it does not. */
  readonly late: string | null;
}

/** A finding, which is broken and has no remedy unless it says so. */
export function finding(
  { facts }: Case,
  code: string,
  rest: Pick<Finding, 'what' | 'why'> & Partial<Finding>,
): Finding {
  const { capability } = facts;
  return { code, capability, level: 'broken', remedies: [], repair: null, ...rest };
}

/** The command that mends it. */
export function doctor({ facts }: Case, words = ''): Remedy {
  const command = `fig doctor ${facts.capability} --repair${words}`;
  return { command, reason: 'mends it' };
}
