import { readFile } from 'node:fs/promises';
import { createLog } from '../../chassis/index.ts';
import { openEachSide, readStatus } from '../engine/index.ts';
import type { CapabilityStatus, LiveStatus } from '../engine/index.ts';
import { flagsFile, openFlags, parseFlags, shareOf } from '../routing/index.ts';
import type { Flags } from '../routing/index.ts';
import type { Context } from './context.ts';
import type { EngineClient } from './engine-client.ts';

export interface FoundStatus {
  /** Who told it. */
  readonly source: 'engine' | 'databases';
  readonly engineUrl: string;
  readonly capabilities: readonly (CapabilityStatus & Partial<LiveStatus>)[];
}

/** Asks the engine; when none answers, reads the databases and the flags themselves. */
export async function findStatus(context: Context, engine: EngineClient): Promise<FoundStatus> {
  const { engineUrl } = context;
  const live = await engine.status();
  if (live) return { source: 'engine', engineUrl, capabilities: live.capabilities };
  const flags = await readFlags(context);
  const capabilities = await Promise.all(
    Object.entries(context.declarations).map(async ([capability, declaration]) => {
      const sides = openEachSide(declaration);
      try {
        return await readStatus(capability, sides, flags);
      } finally {
        for (const side of [sides.legacy, sides.extracted]) {
          if (!(side instanceof Error)) side.close();
        }
      }
    }),
  );
  return { source: 'databases', engineUrl, capabilities };
}

/** The flags as they stand; a file is only looked at, never made. */
async function readFlags({
  env,
  capabilities,
}: Context): Promise<Pick<Flags, 'share' | 'isEnabled'>> {
  if (env['UNLEASH_URL']) {
    const log = createLog('fig', 'silent');
    const flags = await openFlags({ env, appName: 'fig-cli', capabilities, log });
    flags.close();
    return flags;
  }
  const text = await readFile(flagsFile(env), 'utf8').catch(() => '{"version":2,"features":[]}');
  const features = new Map(parseFlags(text).features.map((feature) => [feature.name, feature]));
  const share = (flag: string): number => shareOf(features.get(flag));
  return { share, isEnabled: (flag) => share(flag) > 0 };
}
