import type { FlagStore } from '../../routing/index.ts';

/** A flag that was set, or would be. */
export interface FlagChange {
  readonly outcome: 'set' | 'planned';
  readonly flag: string;
  readonly before: number;
  /** What else decided before; null where nothing did. */
  readonly conditions: string | null;
  readonly share: number;
  /** The flag file, or the server's address. */
  readonly source: string;
}

export interface FlagChangeOptions {
  /** Whether it only says what would change. */
  readonly dryRun: boolean;
  /** Whether strategies that somebody else has set may be replaced. */
  readonly overwrite: boolean;
}

/**
 * Sets a flag, or only says what that would change.
 * @throws ForeignStrategies, FlagFileError, FlagServerError
 */
export async function changeFlag(
  store: FlagStore,
  flag: string,
  share: number,
  { dryRun, overwrite }: FlagChangeOptions,
): Promise<FlagChange> {
  const before = await store.rule(flag);
  if (!dryRun) await store.set({ [flag]: share }, overwrite);
  else if (!overwrite) await store.refuse(flag, share);
  const { source } = store;
  const outcome = dryRun ? 'planned' : 'set';
  return { outcome, flag, before: before.share, conditions: before.conditions, share, source };
}
