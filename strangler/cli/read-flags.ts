import { readFile } from 'node:fs/promises';
import { createLog } from '../../chassis/index.ts';
import { flagsFile, openFlags, parseFlags, shareOf } from '../routing/index.ts';
import type { Flags } from '../routing/index.ts';
import type { Context } from './context.ts';

export type ReadFlags = Pick<Flags, 'source' | 'share' | 'isEnabled'>;

const NO_FLAGS = '{"version":2,"features":[]}';

/** The flags as they stand; a file is only looked at, never made. */
export async function readFlags({ env, capabilities }: Context): Promise<ReadFlags> {
  if (env['UNLEASH_URL']) {
    const log = createLog('fig', 'silent');
    const flags = await openFlags({ env, appName: 'fig-cli', capabilities, log });
    flags.close();
    return flags;
  }
  const source = flagsFile(env);
  const text = await readFile(source, 'utf8').catch(() => NO_FLAGS);
  const features = new Map(parseFlags(text).features.map((feature) => [feature.name, feature]));
  const share = (flag: string): number => shareOf(features.get(flag));
  return { source, share, isEnabled: (flag) => share(flag) > 0 };
}
