import type { EngineStatus } from '../engine/index.ts';
import type { FlagsState, Shares } from '../../routing/index.ts';
import { adminUrlsOf } from './context.ts';
import { askFacades } from './facade-status.ts';
import type { Context } from './context.ts';

/** The flags as a process that runs knows them: since when it can't read them, and what it goes by. */
export interface FlagsInForce {
  /** Who tells it, such as "the engine at http://…". */
  readonly teller: string;
  readonly flags: FlagsState;
  /** By capability; null while they have never been read. */
  readonly shares: Readonly<Record<string, Shares | null>>;
}

/** What the engine tells of the flags. */
export function flagsOfEngine(url: string, { flags, capabilities }: EngineStatus): FlagsInForce {
  const shares = capabilities.map(({ capability, shares: own }) => [capability, own] as const);
  return { teller: `the engine at ${url}`, flags, shares: Object.fromEntries(shares) };
}

/** What the first facade tells that answers; undefined where none does. */
export async function flagsOfFacades(context: Context): Promise<FlagsInForce | undefined> {
  for (const { url, facts } of await askFacades(context, adminUrlsOf(context))) {
    if (!facts) continue;
    const { flags, capabilities } = facts;
    const shares = capabilities.map(({ name, flags: own }) => [name, own] as const);
    return { teller: `the facade at ${url}`, flags, shares: Object.fromEntries(shares) };
  }
  return undefined;
}

/**
 * The flags as this command has just tried to read them, since when the running system has not been able to.
 * @param told by that system; undefined where nothing of it answers
 */
export function stateSince(own: FlagsState, told: FlagsInForce | undefined): FlagsState {
  if (own.trouble === null) return own;
  const since = told?.flags.trouble?.since ?? null;
  return { ...own, read: told?.flags.read ?? false, trouble: { ...own.trouble, since } };
}
