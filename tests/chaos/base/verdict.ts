import { asOperator } from '../../../system/index.ts';
import {
  checkInvariants,
  collectEvidence,
  countMismatches,
  explainedBy,
} from '../../../rehearsal/index.ts';
import { eventually, request } from '../../support/index.ts';
import { BrokenPromise } from './runs.ts';
import { CAPABILITIES, differences } from './rows.ts';
import type { Capability, SideName } from './rows.ts';
import type { Stand } from './stand.ts';

/** How long something may move no further before it has come to rest. */
const STALL_MS = 60_000;
/** How long it may take on a machine on which it does move. */
const SETTLE_MS = 300_000;

/** What the engine's status tells of a capability, as far as a verdict needs it. */
interface Standing {
  readonly capability: Capability;
  readonly owner: SideName | null;
  readonly transport?: string;
  readonly lag: { readonly changes: number } | null;
  readonly parked: { readonly changes: number; readonly reason: string } | null;
  readonly moving: unknown;
  readonly trouble: readonly string[];
}

interface Status {
  readonly capabilities: readonly Standing[];
}

/** Who owns what, as the engine's status says it. */
export type Owners = Readonly<Record<Capability, SideName>>;

/**
 * Lets orders end and everything come to rest.
 * @returns the owners
 * @throws BrokenPromise when something stands still before: what moves, lags or is parked
 */
export async function comeToRest({ system, traffic, signal, stage }: Stand): Promise<Owners> {
  stage('coming to rest');
  await system.ready();
  traffic.stop();
  await traffic.done;
  let seen = '';
  let since = performance.now();
  return eventually(
    async () => {
      signal.throwIfAborted();
      const { body } = await request<Status>('GET', `${system.urls['engine']}/status`, {
        headers: asOperator(system),
      });
      const restless = body.capabilities.flatMap((standing) => restlessness(standing)).join('; ');
      if (restless === '') {
        return Object.fromEntries(
          body.capabilities.map(({ capability, owner }) => [capability, owner]),
        ) as Owners;
      }
      if (restless !== seen) [seen, since] = [restless, performance.now()];
      const stood = performance.now() - since;
      return stood > STALL_MS ? new BrokenPromise(`never at rest: ${restless}`) : false;
    },
    { timeoutMs: SETTLE_MS, intervalMs: 100 },
  ).then((rest) => {
    if (rest instanceof BrokenPromise) throw rest;
    return rest;
  });
}

function restlessness(standing: Standing): string[] {
  const { capability, owner, transport, lag, parked, moving, trouble } = standing;
  return [
    ...(owner === null || moving !== null ? ['is moving'] : []),
    ...(lag === null || lag.changes > 0 ? [`lags by ${lag?.changes ?? '?'} changes`] : []),
    ...(transport === 'queue' ? [] : [`is carried by ${transport ?? 'nobody'}`]),
    ...(parked === null ? [] : [`has ${parked.changes} parked: ${parked.reason}`]),
    ...trouble,
  ].map((text) => `${capability} ${text}`);
}

/** What others than the stand's own customers have changed. */
export interface Others {
  /** Units by SKU, more or less. */
  readonly units: ReadonlyMap<string, number>;
  /** Whether a charge is theirs, by its reference. */
  charged(reference: string): boolean;
}

const NOBODY: Others = { units: new Map(), charged: () => false };

/** Everything that was promised and is not so, after all has come to rest; empty when all is well. */
export async function brokenPromises(
  stand: Stand,
  owners: Owners,
  others = NOBODY,
): Promise<string[]> {
  const { system, fig, ledger, outages, stage } = stand;
  const products = stand.dataset.products.map((product) => ({
    ...product,
    onHand: product.onHand + (others.units.get(product.sku) ?? 0),
  }));
  const dataset = { ...stand.dataset, products };
  stage('comparing');
  const broken: string[] = [];
  for (const capability of CAPABILITIES) {
    const rows = await countMismatches(fig, capability);
    if (rows > 0) broken.push(`fig reconcile ${capability} finds ${rows} rows that differ`);
    const different = await differences(system, capability, owners[capability]);
    broken.push(...different.slice(0, 10));
  }
  const evidence = await collectEvidence({
    facadeUrl: system.urls['facade'] ?? '',
    providerUrl: system.urls['provider'] ?? '',
    monolithDatabase: system.env['MONOLITH_DATABASE_URL'] ?? '',
    inventoryDatabase: system.env['INVENTORY_DATABASE_URL'] ?? '',
    customers: dataset.customers,
  });
  const charges = evidence.charges.filter(({ reference }) => !others.charged(reference));
  for (const { name, ok, detail } of checkInvariants(dataset, ledger, { ...evidence, charges })) {
    if (!ok) broken.push(`${name}: ${detail}`);
  }
  for (const failure of ledger.failed) {
    if (explainedBy(failure, outages) === undefined)
      broken.push(`${failure.what} failed without a cause: ${failure.reason}`);
  }
  for (const told of ledger.told.values()) {
    if (told.kind === 'unknown') broken.push(`an order's end is unknown: ${told.reason}`);
  }
  for (const { what, detail } of ledger.stale) broken.push(`${what} was stale: ${detail}`);
  return broken;
}
