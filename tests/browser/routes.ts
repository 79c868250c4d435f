import { join } from 'node:path';
import type { Express } from 'express';
import { createHttpClient, createLog, LOOPBACK_ONLY, openDatabase } from '../../chassis/index.ts';
import { buildApp as buildInventory } from '../../extracted/inventory/index.ts';
import {
  buildApp as buildPayment,
  createProvider,
  paymentGuard,
  paymentKeys,
} from '../../extracted/payment/index.ts';
import { buildProvider } from '../../extracted/provider/index.ts';
import { buildAdmin, Events } from '../../facade/admin/index.ts';
import type { Facts } from '../../facade/admin/index.ts';
import { buildMonolith } from '../../monolith/index.ts';
import { Engine } from '../../strangler/engine/index.ts';
import type { Flags } from '../../routing/index.ts';
import { withTempDir } from '../support/index.ts';

const NOWHERE = 'http://127.0.0.1:9';

/** Something that a process answers to. */
export interface Route {
  /** As in `System.urls`. */
  readonly process: string;
  /** In upper case. */
  readonly method: string;
  /** As Express has it, such as `/barrier/:capability`. */
  readonly path: string;
}

/** Of a layer of Express's router, what tells its routes. */
interface Layer {
  /** Whether it stands for all paths. */
  readonly slash: boolean;
  readonly route?: {
    readonly path: string;
    readonly stack: readonly { readonly method?: string }[];
  };
  readonly handle: { readonly stack?: readonly Layer[] };
}

function routesIn(process: string, layers: readonly Layer[]): readonly Route[] {
  return layers.flatMap(({ route, handle, slash }) => {
    if (route) {
      const methods = route.stack.flatMap(({ method }) => method?.toUpperCase() ?? []);
      return [...new Set(methods)].map((method) => ({ process, method, path: route.path }));
    }
    if (!handle.stack) return [];
    if (!slash) throw new Error(`${process} has a router at a path, which Express does not tell`);
    return routesIn(process, handle.stack);
  });
}

const routesOf = (process: string, { router }: Express): readonly Route[] =>
  routesIn(process, (router as unknown as { readonly stack: readonly Layer[] }).stack);

/**
 * All routes of all processes of the shop and of Fig, out of the servers themselves: they are built as
 * their programs build them, and asked for nothing. The facade's own port has none.
 */
export function allRoutes(): Promise<readonly Route[]> {
  return withTempDir(async (folder) => {
    const database = await openDatabase(`file:${join(folder, 'any.db')}`);
    const client = createHttpClient(NOWHERE);
    const log = createLog('test', 'silent');
    const served = { log, access: LOOPBACK_ONLY };
    const scope = { database, guard: paymentGuard, keys: paymentKeys, now: Date.now };
    const clients = { provider: client, inventoryService: client, paymentService: client };
    const provider = createProvider({ url: NOWHERE, timeoutMs: 1 });
    const engine = new Engine({ ...served, declarations: {}, flags: {} as Flags });
    const facts = {} as Facts;
    const wishes = (): Promise<never> => Promise.reject(new Error('nobody asks'));
    try {
      return [
        ...routesOf('engine', engine.app),
        ...routesOf(
          'admin',
          buildAdmin({
            ...served,
            facts,
            engine: client,
            events: new Events({ facts, engine: client }),
            config: () => ({ deadLetters: [], upstreams: {} }),
            wishes,
            jwks: () => ({}),
          }),
        ),
        ...routesOf('monolith', buildMonolith({ ...served, ...clients, database }).app),
        ...routesOf('inventory', buildInventory({ ...served, database })),
        ...routesOf('payment', buildPayment({ ...served, scope, provider })),
        ...routesOf('provider', buildProvider({ ...served, database, slowMs: 1 })),
      ];
    } finally {
      await engine.close();
      await provider.close();
      await client.close();
      await database.close();
    }
  });
}
