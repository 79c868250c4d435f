import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  createCustomers,
  createLedger,
  createOperator,
  createShop,
  files,
  generateDataset,
  startDatabases,
  startTraffic,
  watch,
  writeImport,
} from '../../../rehearsal/index.ts';
import type {
  Dataset,
  Ledger,
  Operator,
  Outage,
  Progress,
  Traffic,
} from '../../../rehearsal/index.ts';
import { withoutSystem } from '../../../system/index.ts';
import type { ProcessDefinition, System } from '../../../system/index.ts';
import { withSystem, withTempDir } from '../../support/index.ts';

/** A system of its own under orders, to be hurt. */
export interface Stand {
  readonly system: System;
  /** The operator's command line against this system. */
  readonly fig: Operator;
  readonly dataset: Dataset;
  readonly traffic: Traffic;
  /** What the customers were told. */
  readonly ledger: Ledger;
  /** When processes were away; filled by whoever puts them out. */
  readonly outages: Outage[];
  readonly progress: Progress;
  /** Aborted by Ctrl-C: give up what you wait for. */
  readonly signal: AbortSignal;
  /** Says on the line that is drawn what is going on. */
  stage(name: string): void;
}

export interface StandOptions {
  readonly seed: number;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly concurrency?: number;
  /** Whether the data is kept in a PostgreSQL that is started for it, instead of in files. */
  readonly postgres?: boolean;
  /** Given the system when it runs. */
  readonly onStart?: (system: System) => void;
  /** What runs; everything once when absent. */
  readonly processes?: readonly ProcessDefinition[];
}

/** More orders than any run gets through: its end is when the harm is done. */
const ORDERS = 20_000;
/** How long a client sends a request again, under its key, while processes are being killed. */
const PATIENCE_MS = 60_000;

/** On a machine that does ten things at once, a card processor that is well may be slow as well. */
const PATIENT = { PROVIDER_TIMEOUT_MS: '10000' };

/** Gives `use` a running system with customers who order without end, and takes both down. */
export function withStand<T>(options: StandOptions, use: (stand: Stand) => Promise<T>): Promise<T> {
  const { seed, signal, processes } = options;
  const more = processes ? { processes } : {};
  const size = { products: 12, customers: 8, orders: ORDERS, abundance: 50 };
  const dataset = generateDataset(seed, size);
  return withTempDir(async (directory) => {
    const data = join(directory, 'import');
    await mkdir(data);
    await writeImport(dataset, data);
    options.progress.stage('starting a system');
    const databases = options.postgres === true ? await startDatabases() : files;
    const variables = { ...PATIENT, ...databases.variables };
    try {
      return await withSystem({ load: { data }, signal, variables, ...more }, (system) =>
        underOrders(options, dataset, system, use),
      );
    } finally {
      await databases.close();
      options.progress.end();
    }
  });
}

async function underOrders<T>(
  { progress, signal, onStart, concurrency = 3 }: StandOptions,
  dataset: Dataset,
  system: System,
  use: (stand: Stand) => Promise<T>,
): Promise<T> {
  onStart?.(system);
  const ledger = createLedger();
  const shop = createShop(system.urls['facade'] ?? '', ledger, PATIENCE_MS);
  const customers = createCustomers(dataset, shop, ledger);
  const traffic = startTraffic(dataset.orders, customers, { concurrency, signal });
  const watching = watch({ system, ledger, traffic, total: ORDERS, progress });
  const fig = createOperator({ ...withoutSystem(process.env), ...system.env });
  const { stage } = watching;
  try {
    return await abortable(
      use({ system, fig, dataset, traffic, ledger, outages: [], progress, signal, stage }),
      signal,
    );
  } finally {
    watching.stop();
    progress.stage('taking the system down');
    traffic.stop();
    await shop.close();
  }
}

/** Work that hangs on a killed process would else keep Ctrl-C waiting. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => undefined);
  let giveUp = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    giveUp = () => reject(signal.reason as Error);
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
