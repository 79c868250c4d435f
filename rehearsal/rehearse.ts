import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startSystem, withoutSystem } from '../system/index.ts';
import type { System } from '../system/index.ts';
import { BELIEVED, callersWithTokens } from './callers.ts';
import type { Callers } from './callers.ts';
import { checkInvariants, netCharged } from './checks.ts';
import { createCustomers } from './customer.ts';
import { files, startDatabases } from './databases.ts';
import type { Dataset } from './dataset.ts';
import { collectEvidence } from './evidence.ts';
import { writeImport } from './csv.ts';
import { explainedBy, planKills } from './kills.ts';
import type { Outage } from './kills.ts';
import { createLedger } from './ledger.ts';
import type { FailedRequest, Ledger } from './ledger.ts';
import type { Drive } from './drive.ts';
import { migration } from './migration.ts';
import { createOperator } from './operator.ts';
import { createSaboteur } from './outages.ts';
import type { Progress } from './progress.ts';
import type { HandoverReport, Report } from './report.ts';
import { countMismatches } from './settle.ts';
import { createShop } from './shop.ts';
import { migrationPlan } from './stages.ts';
import { startTraffic } from './traffic.ts';
import { watch } from './watch.ts';

export interface RehearsalOptions {
  readonly dataset: Dataset;
  readonly concurrency: number;
  readonly seed: number;
  /** Chooses processes to kill and the moments; absent: none is killed. */
  readonly killSeed?: number;
  /** Keeps all data in a PostgreSQL that is started for it, instead of in files. */
  readonly postgres?: boolean;
  /** Has the system know its callers by tokens, and customers try to look at what is not theirs. */
  readonly auth?: boolean;
  /** Empties Redis in the middle of the orders. */
  readonly flushRedis?: boolean;
  /** What is done to the system meanwhile; the whole migration when absent. */
  readonly drive?: Drive;
  readonly progress: Progress;
  /** Given the system when it runs. */
  readonly onStart?: (system: System) => void;
  /** Stops early: clients stop ordering, and everything is taken down. */
  readonly signal?: AbortSignal;
}

const CAPABILITIES = ['inventory', 'payment'] as const;
/** How long a client sends a request again: not at all, unless processes are being killed. */
const PATIENCE_MS = 60_000;

/** Brings up a system of its own, migrates it under live orders, and judges what came out. */
export async function rehearse(options: RehearsalOptions): Promise<Report> {
  const directory = await mkdtemp(join(tmpdir(), 'fig-rehearsal-'));
  options.progress.stage('starting the system and loading the shop');
  const auth = options.auth === true ? { FIG_AUTH: 'on' } : {};
  const databases = options.postgres === true ? await startDatabases() : files;
  try {
    await writeImport(options.dataset, directory);
    const system = await startSystem({
      dataDir: join(directory, 'data'),
      ports: 'free',
      // What is rehearsed is the data; that both sides answer alike is the contract's matter.
      env: { ...withoutSystem(process.env), FIG_CONTRACT: 'off', ...auth, ...databases.variables },
      load: { data: directory },
      ...(options.signal ? { signal: options.signal } : {}),
    });
    options.onStart?.(system);
    try {
      return await run(options, system);
    } finally {
      await system.stop();
    }
  } finally {
    await databases.close();
    await rm(directory, { recursive: true, force: true });
  }
}

async function run(options: RehearsalOptions, system: System): Promise<Report> {
  const { dataset, concurrency, killSeed, progress } = options;
  const plan = migrationPlan();
  const drive = options.drive ?? migration(plan);
  const started = performance.now();
  const ledger = createLedger();
  const facadeUrl = url(system, 'facade');
  const { auth = false } = options;
  const callers = auth ? await callersWithTokens(system.dataDir, dataset.customers) : BELIEVED;
  const patienceMs = killSeed === undefined ? 0 : PATIENCE_MS;
  const shop = createShop(facadeUrl, ledger, patienceMs, callers);
  const operator = createOperator({ ...withoutSystem(process.env), ...system.env });
  const kills = killSeed === undefined ? [] : planKills(killSeed, plan.length);
  const saboteur = createSaboteur(system, kills, (text) => progress.say(text));
  const traffic = startTraffic(dataset.orders, createCustomers(dataset, shop, ledger, auth), {
    concurrency,
    ...(options.signal ? { signal: options.signal } : {}),
  });
  const liveWrites = (from: number, to: number): number =>
    ledger.writes.filter((write) => write.to >= from && write.from <= to).length;
  const watching = watch({ system, ledger, traffic, total: dataset.orders.length, progress });
  const flushing = options.flushRedis ? flushAt(system, traffic.reached(0.5), progress) : undefined;
  try {
    const handedOver = await drive({
      system,
      traffic,
      operator,
      patient: killSeed !== undefined,
      liveWrites,
      enter(stage, index) {
        watching.stage(stage.trim());
        progress.say(stage);
        saboteur.strike(index);
      },
    });
    watching.stage('orders to the end');
    await Promise.all([traffic.done, flushing]);
    options.signal?.throwIfAborted();
    // Not before all writes are acknowledged: one of few may have been under way all the while.
    const handovers = handedOver.map(({ from, to, ...handover }) => ({
      ...handover,
      liveWrites: liveWrites(from, to),
    }));
    watching.stage('comparing');
    const outages = await saboteur.finish();
    const mismatches: Record<string, number> = {};
    for (const capability of CAPABILITIES) {
      mismatches[capability] = await countMismatches(operator, capability);
    }
    return await judge(options, system, {
      ledger,
      callers,
      handovers,
      outages,
      mismatches,
      started,
    });
  } finally {
    watching.stop();
    traffic.stop();
    await traffic.done.catch(() => undefined);
    await shop.close();
  }
}

function url(system: System, name: string): string {
  const found = system.urls[name];
  if (found === undefined) throw new Error(`the system has no ${name}`);
  return found;
}

async function flushAt(system: System, moment: Promise<void>, progress: Progress): Promise<void> {
  await moment;
  const redis = new Redis(system.redisUrl);
  await redis.flushall();
  redis.disconnect();
  progress.say('       emptied Redis');
}

interface Findings {
  readonly ledger: Ledger;
  readonly callers: Callers;
  readonly handovers: readonly HandoverReport[];
  readonly outages: readonly Outage[];
  readonly mismatches: Readonly<Record<string, number>>;
  readonly started: number;
}

async function judge(
  { dataset, seed }: RehearsalOptions,
  system: System,
  { ledger, callers, handovers, outages, mismatches, started }: Findings,
): Promise<Report> {
  const evidence = await collectEvidence({
    facadeUrl: url(system, 'facade'),
    providerUrl: url(system, 'provider'),
    monolithDatabase: system.env['MONOLITH_DATABASE_URL'] ?? '',
    inventoryDatabase: system.env['INVENTORY_DATABASE_URL'] ?? '',
    customers: dataset.customers,
    callers,
  });
  const told = [...ledger.told.values()];
  const explained = new Map<FailedRequest, Outage>();
  for (const failure of ledger.failed) {
    const outage = explainedBy(failure, outages);
    if (outage) explained.set(failure, outage);
  }
  const stock = evidence.sides[0]?.stock ?? new Map<string, { onHand: number }>();
  return {
    orders: {
      sent: told.length,
      confirmed: told.filter(({ kind }) => kind === 'confirmed').length,
      refused: told.filter(({ kind }) => kind === 'out_of_stock' || kind === 'payment_declined')
        .length,
      failed: told.filter(({ kind }) => kind === 'unknown').length,
    },
    requests: {
      total: ledger.requests,
      failed: ledger.failed.length,
      staleReads: ledger.stale.length,
    },
    expectedFailed: outages.map((outage) => ({
      ...outage,
      requests: [...explained.values()].filter((reason) => reason === outage).length,
    })),
    charged: netCharged(evidence.charges),
    stock: Object.fromEntries([...stock].map(([sku, { onHand }]) => [sku, onHand])),
    handovers,
    mismatches,
    converged: Object.values(mismatches).every((rows) => rows === 0),
    invariants: checkInvariants(dataset, ledger, evidence),
    seed,
    seconds: (performance.now() - started) / 1000,
    examples: [
      ...ledger.failed
        .filter((failure) => !explained.has(failure))
        .slice(0, 20)
        .map(({ what, reason }) => `${what} failed: ${reason}`),
      ...ledger.stale.slice(0, 20).map(({ what, detail }) => `${what} was stale: ${detail}`),
    ],
  };
}
