import { createFlagFile, readFlagFile, setFlags, shareOf } from './flag-file.ts';

/** Where flags are changed: the flag file, or an Unleash server by its admin API. */
export interface FlagStore {
  /** Where that is, for messages. */
  readonly source: string;
  /** The share that a flag stands at, 0..100; 0 for one that nobody has made yet. */
  share(flag: string): Promise<number>;
  /**
   * Sets flags, and makes those that are missing; a flag of the same name keeps what else it has.
   * @param shares flag -> share 0..100; a switch is on above 0
   * @throws FlagFileError or FlagServerError, and then names the flag that could not be set
   */
  set(shares: Readonly<Record<string, number>>): Promise<void>;
}

/** The flags of a file, which is made when something is set. */
export function flagFileStore(file: string, capabilities: readonly string[]): FlagStore {
  return {
    source: file,
    async share(flag) {
      const { features } = await readFlagFile(file).catch(emptyIfMissing);
      return shareOf(features.find(({ name }) => name === flag));
    },
    async set(shares) {
      await createFlagFile(file, capabilities);
      await setFlags(file, shares);
    },
  };
}

function emptyIfMissing(error: unknown): Awaited<ReturnType<typeof readFlagFile>> {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { version: 2, features: [] };
  throw error;
}
