import { START_COMMAND } from '../../chassis/index.ts';
import { Leases, newHolder } from '../engine/leases.ts';
import type { SideDatabase } from '../sides/side-database.ts';
import type { SideName } from '../../routing/side.ts';

/** Why not everything was removed, and what helps. */
export interface UninstallRefusal {
  readonly outcome: 'refused';
  readonly code: 'engine_running' | 'handover_unfinished' | 'would_strand_data';
  readonly reason: string;
  readonly next: string;
}

export type UninstallOutcome =
  | UninstallRefusal
  | { readonly outcome: 'removed'; readonly sides: readonly SideName[] }
  | { readonly outcome: 'nothing_there' };

interface UninstallOptions {
  readonly capability: string;
  readonly sides: Readonly<Record<SideName, SideDatabase>>;
  /** Whether to go on where the monolith would be left with old rows. */
  readonly strand: boolean;
  /** How long a lease lasts unless it is renewed, in ms. */
  readonly leaseMs?: number;
}

/**
 * Takes everything of Fig out of both databases of a capability: their schemas are then byte for
 * byte what they were before. What was interrupted can be run again.
 */
export async function uninstallCapability(options: UninstallOptions): Promise<UninstallOutcome> {
  const installed = await installedOf(options);
  if (installed.length === 0) return { outcome: 'nothing_there' };
  const refusal = await reasonAgainst(options, installed);
  if (refusal) return refusal;
  // From here on no engine may act; one that starts meanwhile stands by.
  const stores = Object.fromEntries(installed.map(({ side, store }) => [side, store]));
  const leases = new Leases(stores, newHolder(), options.leaseMs);
  if (!(await leases.take(() => undefined))) return engineAtWork();
  try {
    return await takeOut(installed, leases);
  } finally {
    await leases.release();
  }
}

/** Others may keep a side locked for longer than a lease lasts, so each transaction looks at its own. */
async function takeOut(
  installed: readonly SideDatabase[],
  leases: Leases,
): Promise<UninstallOutcome> {
  const sides: SideName[] = [];
  for (const database of installed) {
    const { side } = database;
    if (!(await leases.holds(side))) return engineAtWork(sides);
    if (!(await database.uninstall(leases.held?.[side]))) return engineAtWork(sides);
    sides.push(side);
  }
  return { outcome: 'removed', sides };
}

/** Why nothing would be removed now; undefined where nothing stands against it. Changes nothing. */
export async function uninstallRefusal(
  options: UninstallOptions,
): Promise<UninstallRefusal | undefined> {
  const installed = await installedOf(options);
  if (installed.length === 0) return undefined;
  const leases = await Promise.all(installed.map(({ store }) => store.lease()));
  const isHeld = leases.some((lease) => lease !== null && lease.expiresAt > Date.now());
  return (await reasonAgainst(options, installed)) ?? (isHeld ? engineAtWork() : undefined);
}

/** The side that is free to write without a fence first: the other one stays closed to the end. */
async function installedOf({ sides }: UninstallOptions): Promise<readonly SideDatabase[]> {
  const installed: SideDatabase[] = [];
  for (const side of [sides.legacy, sides.extracted]) {
    if (await side.installation()) installed.push(side);
  }
  return installed;
}

async function reasonAgainst(
  { capability, strand }: UninstallOptions,
  installed: readonly SideDatabase[],
): Promise<UninstallRefusal | undefined> {
  for (const { store } of installed) {
    const handover = await store.unfinishedHandover();
    if (!handover) continue;
    const reason = `a handover of ${capability} from ${handover.from} to ${handover.to} is unfinished`;
    return refuse('handover_unfinished', reason, START_COMMAND);
  }
  const [only] = installed;
  // Half of it is gone already: that was decided then.
  if (strand || installed.length < 2 || only === undefined) return undefined;
  const fences = await only.store.fences();
  if (fences.all.every(({ state }) => state === 'open')) return undefined;
  if ((await only.retirement.completion())?.outcome === 'done') {
    return refuse(
      'would_strand_data',
      `${capability} is complete, and the monolith learns from these tables that it has moved: delete ` +
        'its code first',
      `fig uninstall ${capability} --strand-data`,
    );
  }
  return refuse(
    'would_strand_data',
    `legacy does not own ${fences.rest.state === 'open' ? 'all of ' : ''}${capability}: without fences the monolith would go on with rows that are ` +
      'not kept up to date any more',
    `fig reverse ${capability}`,
  );
}

function engineAtWork(removed: readonly SideName[] = []): UninstallRefusal {
  const already = removed.length > 0 ? `${removed.join()} is cleared already, but ` : '';
  const reason =
    already +
    `an engine is at work, and would put everything back; stop it first (Ctrl-C where ${START_COMMAND} runs)`;
  return refuse('engine_running', reason, 'fig uninstall');
}

function refuse(code: UninstallRefusal['code'], reason: string, next: string): UninstallRefusal {
  return { outcome: 'refused', code, reason, next };
}
