/**
 * A monolith whose parent decides what becomes of it before and after every step of an order: the step's point is
 * sent to the parent, and nothing happens until the parent answers, or kills this process.
 */
import { once } from 'node:events';
import {
  createExpressServer,
  createHttpClient,
  databaseUrl,
  listen,
  LOOPBACK_ONLY,
  migrate,
  openDatabase,
  runProcess,
  serviceUrl,
} from '../../chassis/index.ts';
import { monolithMigrations } from '../../migrations/monolith/index.ts';
import { buildMonolith } from '../../monolith/index.ts';

/** Of an unfinished saga whose process is gone. */
const LEASE_MS = 300;

async function reached(point: string): Promise<void> {
  process.send?.({ point });
  await once(process, 'message');
}

await runProcess('monolith', async ({ env, log }) => {
  const database = await openDatabase(databaseUrl(env, 'MONOLITH_DATABASE_URL', 'monolith.db'));
  await migrate(database, monolithMigrations);
  const monolith = buildMonolith({
    database,
    log,
    access: LOOPBACK_ONLY,
    provider: createHttpClient(serviceUrl(env, 'PROVIDER_URL', 4010)),
    inventoryService: createHttpClient(serviceUrl(env, 'INVENTORY_URL', 4001)),
    paymentService: createHttpClient(serviceUrl(env, 'PAYMENT_URL', 4002)),
    timing: { sagaLeaseMs: LEASE_MS, stepBackoffMs: 100 },
    async aroundStep({ type, step, direction }, attempt) {
      const point = `${type}: ${direction === 'backward' ? 'undo ' : ''}${step}`;
      await reached(`${point}, before`);
      const outcome = await attempt();
      await reached(`${point}, after`);
      return outcome;
    },
  });
  const place = { port: 0, host: '127.0.0.1', variable: 'MONOLITH_PORT' };
  const listening = await listen(createExpressServer(monolith.app), place);
  monolith.start();
  return {
    ports: { http: listening.port },
    close: async () => {
      await listening.close(0);
      await monolith.stop();
      await database.close();
    },
  };
});
