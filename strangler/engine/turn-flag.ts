import { setTimeout as delay } from 'node:timers/promises';
import { Problem } from '../../chassis/index.ts';
import { ForeignStrategies } from '../../routing/index.ts';
import type { Flags, FlagStore } from '../../routing/index.ts';
import type { SideName } from '../../routing/side.ts';

const FLAG_MS = 3_000;

/** A capability's flags, and where to turn one; nowhere, if a server keeps them and won't be asked. */
interface FlagAccess {
  readonly capability: string;
  readonly flags: Flags;
  readonly flagStore: FlagStore | undefined;
}

/** The flag has to ask for the same, or the engine would go back to what it asks for. */
export async function turnFlag(
  { capability, flags, flagStore }: FlagAccess,
  to: SideName,
): Promise<void> {
  const flag = `${capability}.writes`;
  const wanted = to === 'extracted';
  const verb = wanted ? 'switch' : 'reverse';
  const without = { next: `fig ${verb} ${capability} --without-flags` };
  if (flags.switch(flag).on === wanted) return;
  if (flagStore === undefined) {
    const detail =
      `${flag} is kept by ${flags.state().source}; turn it ${wanted ? 'on' : 'off'} there, or start the ` +
      'engine with UNLEASH_ADMIN_TOKEN';
    throw new Problem(409, 'flag_kept_elsewhere', detail, { members: { flag, ...without } });
  }
  await setFlag(flagStore, flag, wanted, without);
  const deadline = performance.now() + FLAG_MS;
  while (flags.switch(flag).on !== wanted) {
    if (performance.now() > deadline) {
      const why = flags.state().trouble?.reason ?? 'it was not read since';
      const detail = `${flag} was set, but is not in force yet: ${why}; nothing was moved`;
      throw new Problem(409, 'flag_not_seen', detail, { members: { flag, ...without } });
    }
    await delay(5);
  }
}

async function setFlag(
  store: FlagStore,
  flag: string,
  wanted: boolean,
  without: { readonly next: string },
): Promise<void> {
  try {
    await store.set({ [flag]: wanted ? 100 : 0 });
  } catch (error) {
    if (error instanceof ForeignStrategies) {
      const next = `fig flags set ${flag} ${wanted ? 'on' : 'off'} --overwrite`;
      const detail = `nothing was moved: ${error.message}`;
      throw new Problem(409, 'foreign_strategies', detail, { members: { flag, next } });
    }
    const detail = `${flag} could not be set, and nothing was moved: ${(error as Error).message}`;
    throw new Problem(502, 'flag_not_set', detail, { members: { flag, ...without } });
  }
}
