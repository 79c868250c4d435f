import { readFile } from 'node:fs/promises';
import { createLog } from '../../chassis/index.ts';
import {
  flagsFile,
  openFlags,
  parseFlags,
  readSwitch,
  reasonOf,
  ruleOf,
} from '../../routing/index.ts';
import type { FlagReadings, FlagsState } from '../../routing/index.ts';
import type { Context } from './context.ts';

/** The flags as they stand; a file is only looked at, never made. */
export async function readFlags({ env, capabilities }: Context): Promise<FlagReadings> {
  if (env['UNLEASH_URL']) {
    const log = createLog('fig', 'silent');
    const flags = await openFlags({ env, appName: 'fig-cli', capabilities, log });
    flags.close();
    return once(flags);
  }
  return flagsOfFile(flagsFile(env));
}

/** A single reading does not know since when the flags can't be read. */
function once(flags: FlagReadings): FlagReadings {
  return {
    state: () => {
      const { trouble, ...state } = flags.state();
      return { ...state, trouble: trouble && { ...trouble, since: null } };
    },
    rule: (flag) => flags.rule(flag),
    switch: (flag) => flags.switch(flag),
  };
}

async function flagsOfFile(source: string): Promise<FlagReadings> {
  try {
    const { features } = parseFlags(await readFile(source, 'utf8'));
    const known = new Map(features.map((feature) => [feature.name, feature]));
    return {
      state: (): FlagsState => ({ kept: 'file', source, read: true, trouble: null }),
      rule: (flag) => ruleOf(known.get(flag)),
      switch: (flag) => readSwitch(ruleOf(known.get(flag))),
    };
  } catch (error) {
    const trouble = { reason: reasonOf(error), since: null };
    return {
      state: (): FlagsState => ({ kept: 'file', source, read: false, trouble }),
      rule: () => ruleOf(undefined),
      switch: () => ({ on: null, refused: trouble.reason, made: true }),
    };
  }
}
