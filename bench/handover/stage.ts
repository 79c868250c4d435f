import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startPostgres, startSystem, withoutSystem } from '../../system/index.ts';
import type { PrivatePostgres, System } from '../../system/index.ts';
import { setFlags } from '../../routing/index.ts';
import { startClients } from './client-process.ts';
import type { Clients } from './client-process.ts';
import { writeShop } from './shop.ts';

/** Where a contestant plays: a system of its own, and clients that are ready to send. */
export interface Stage {
  readonly system: System;
  readonly clients: Clients;
  /** Process ids by what they are called in figures. */
  readonly pids: ReadonlyMap<string, number>;
}

interface StageOptions {
  readonly name: string;
  /** An empty folder. */
  readonly folder: string;
  readonly postgres: boolean;
  readonly variables?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const BUSINESS = ['MONOLITH', 'INVENTORY', 'PAYMENT', 'PROVIDER'];

/** Gives `play` a stage, and clears it afterwards. */
export async function onStage<T>(
  options: StageOptions,
  prepare: (system: System) => Promise<void>,
  play: (stage: Stage) => Promise<T>,
): Promise<T> {
  const { name, folder, signal } = options;
  const postgres = options.postgres ? await startPostgres({ durable: true }) : undefined;
  try {
    const system = await start(options, postgres);
    try {
      await prepare(system);
      const ledgerFile = join(folder, `${name}-ledger.json`);
      signal.throwIfAborted();
      const clients = startClients({ url: urlOf(system, 'facade'), ledgerFile });
      try {
        return await play({ system, clients, pids: pidsOf(system, clients, postgres) });
      } finally {
        clients.kill();
      }
    } finally {
      await system.stop();
    }
  } finally {
    await postgres?.stop();
  }
}

async function start(
  { name, folder, variables, signal }: StageOptions,
  postgres: PrivatePostgres | undefined,
): Promise<System> {
  await writeShop(join(folder, 'shop'));
  const databases: Record<string, string> = {};
  for (const business of postgres ? BUSINESS : []) {
    const database = await postgres?.createDatabase();
    databases[`${business}_DATABASE_URL`] = database?.url ?? '';
  }
  return startSystem({
    dataDir: join(folder, name),
    ports: 'free',
    env: {
      ...withoutSystem(process.env),
      LOG_LEVEL: 'warn',
      FIG_CONTRACT: 'off',
      ...databases,
      ...variables,
    },
    load: { data: join(folder, 'shop') },
    signal,
  });
}

function pidsOf(
  system: System,
  clients: Clients,
  postgres: PrivatePostgres | undefined,
): ReadonlyMap<string, number> {
  const all = [
    ...system.names.map((name) => [name, system.pid(name)] as const),
    ['postgres', postgres?.pid()] as const,
    ['clients', clients.pid] as const,
  ];
  return new Map(all.filter((entry): entry is [string, number] => entry[1] !== undefined));
}

/** Warms both sides up, as a migration does: every read is also sent to the other one. */
export async function warmUp({ system, clients }: Stage, ms: number): Promise<void> {
  await shadow(system, 100);
  await clients.saturate(8, ms);
  await shadow(system, 0);
  await delay(ms / 10);
}

function shadow(system: System, share: number): Promise<void> {
  const flags = { 'inventory.shadow': share, 'payment.shadow': share };
  return setFlags(system.env['FIG_FLAGS_FILE'] ?? '', flags);
}

/** @throws when the system has no such process */
export function urlOf(system: System, name: string): string {
  const url = system.urls[name];
  if (url === undefined) throw new Error(`the system has no ${name}`);
  return url;
}
