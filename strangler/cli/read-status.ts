import type { CapabilityStatus, LiveStatus } from '../engine/index.ts';
import type { FlagsState } from '../routing/index.ts';
import type { Context } from './context.ts';
import type { EngineClient } from './engine-client.ts';
import { readFlags } from './read-flags.ts';

export interface FoundStatus {
  /** Who told it. */
  readonly source: 'engine' | 'databases';
  readonly engineUrl: string;
  /** Whether the flags can be read by whoever told it. */
  readonly flags: FlagsState;
  readonly capabilities: readonly (CapabilityStatus & Partial<LiveStatus>)[];
}

/** Asks the engine; when none answers, reads the databases and the flags themselves. */
export async function findStatus(context: Context, engine: EngineClient): Promise<FoundStatus> {
  const { engineUrl } = context;
  const live = await engine.status();
  if (live) {
    const { flags, capabilities } = live;
    return { source: 'engine', engineUrl, flags, capabilities };
  }
  // Only now: what opens databases takes a moment to load.
  const { openEachSide, readStatus } = await import('../engine/index.ts');
  const flags = await readFlags(context);
  const capabilities = await Promise.all(
    Object.entries(context.declarations).map(async ([capability, declaration]) => {
      const sides = openEachSide(declaration);
      try {
        return await readStatus(capability, sides, flags);
      } finally {
        for (const side of [sides.legacy, sides.extracted]) {
          if (!(side instanceof Error)) await side.close();
        }
      }
    }),
  );
  return { source: 'databases', engineUrl, flags: flags.state(), capabilities };
}
