import { readFlagFile, setFlags } from './flag-file.ts';
import type { Feature } from './flag-file.ts';
import { isReplaceable, ruleOf, strategiesText } from './flag-rule.ts';
import type { FlagRule } from './flag-rule.ts';

/** Where flags are changed: the flag file, or an Unleash server by its admin API. */
export interface FlagStore {
  /** Where that is, for messages. */
  readonly source: string;
  /** Whom a flag is on for. */
  rule(flag: string): Promise<FlagRule>;
  /** @throws ForeignStrategies where setting the share would replace what somebody else has set */
  refuse(flag: string, share: number): Promise<void>;
  /**
   * Sets flags, and makes those that are missing; a flag of the same name keeps what else it has.
   * Off only turns a flag off.
   * @param shares flag -> share 0..100; a switch is on above 0
   * @param overwrite whether strategies that somebody else has set may be replaced
   * @throws FlagFileError, FlagServerError or ForeignStrategies, and then names the flag that could
   *   not be set
   */
  set(shares: Readonly<Record<string, number>>, overwrite?: boolean): Promise<void>;
}

/** Somebody else has decided whom a flag is on for; a share would replace that. */
export class ForeignStrategies extends Error {
  override readonly name = 'ForeignStrategies';
  readonly flag: string;

  constructor(flag: string, feature: Feature | undefined) {
    const text = feature === undefined ? '' : strategiesText(feature);
    super(`${flag} has strategies that Fig did not set (${text}), and they would be replaced`);
    this.flag = flag;
  }
}

/** @throws ForeignStrategies when setting the share would replace what somebody else has set */
export function refuseForeign(flag: string, share: number, feature: Feature | undefined): void {
  if (share > 0 && !isReplaceable(feature)) throw new ForeignStrategies(flag, feature);
}

/** The flags of a file. */
export function flagFileStore(file: string): FlagStore {
  const find = async (flag: string): Promise<Feature | undefined> =>
    (await readFlagFile(file)).features.find(({ name }) => name === flag);
  return {
    source: file,
    rule: async (flag) => ruleOf(await find(flag)),
    refuse: async (flag, share) => refuseForeign(flag, share, await find(flag)),
    async set(shares, overwrite = false) {
      for (const [flag, share] of Object.entries(shares)) {
        if (!overwrite) refuseForeign(flag, share, await find(flag));
      }
      await setFlags(file, shares);
    },
  };
}
