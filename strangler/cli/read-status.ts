import type { CapabilityStatus, LiveStatus } from '../engine/index.ts';
import type { FlagsState } from '../../routing/index.ts';
import type { SideDatabase } from '../sides/side-database.ts';
import type { SideName } from '../../routing/side.ts';
import type { LeaseView } from '../ledger/store.ts';
import { busyEngine } from '../wording.ts';
import type { Context } from './context.ts';
import type { EngineClient } from './engine-client.ts';
import { flagsOfFacades, stateSince } from './flags-in-force.ts';
import { readFlags } from './read-flags.ts';

export interface FoundStatus {
  /** Who told it. */
  readonly source: 'engine' | 'databases';
  readonly engineUrl: string;
  /** Says that an engine holds its lease and does not answer in time; null where one answers, or none holds a lease. */
  readonly late: string | null;
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
    return { source: 'engine', engineUrl, late: null, flags, capabilities };
  }
  // Only now: what opens databases takes a moment to load.
  const { openEachSide, readStatus } = await import('../engine/index.ts');
  const flags = await readFlags(context);
  // A facade goes by what it has read last, also without an engine.
  const told = flags.state().trouble === null ? undefined : await flagsOfFacades(context);
  const holders: string[] = [];
  const capabilities = await Promise.all(
    Object.entries(context.declarations).map(async ([capability, declaration]) => {
      const sides = openEachSide(declaration);
      try {
        if (engine.lateness !== null) holders.push(...(await holdersOf(sides)));
        const status = await readStatus(capability, sides, flags);
        const shares = told?.shares[capability];
        return shares === undefined ? status : { ...status, shares };
      } finally {
        for (const side of [sides.legacy, sides.extracted]) {
          if (!(side instanceof Error)) await side.close();
        }
      }
    }),
  );
  const [holder] = holders;
  const { lateness } = engine;
  const late = holder === undefined || lateness === null ? null : busyEngine(lateness, holder);
  return {
    source: 'databases',
    engineUrl,
    late,
    flags: stateSince(flags.state(), told),
    capabilities,
  };
}

/** The engines whose leases have not run out; none where the leases can't be read. */
async function holdersOf(
  sides: Readonly<Record<SideName, SideDatabase | Error>>,
): Promise<readonly string[]> {
  const holders: string[] = [];
  for (const side of [sides.legacy, sides.extracted]) {
    if (side instanceof Error) continue;
    const lease = await leaseOf(side).catch(() => null);
    if (lease !== null && lease.expiresAt > Date.now()) holders.push(lease.holder);
  }
  return holders;
}

async function leaseOf(side: SideDatabase): Promise<LeaseView | null> {
  return (await side.installation()) === undefined ? null : side.store.lease();
}
