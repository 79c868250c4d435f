import {
  codeVersion,
  createExpressServer,
  databaseUrl,
  eventsKeptMs,
  keepEvents,
  listen,
  listenHost,
  migrate,
  openAccess,
  openDatabase,
  purgeKeys,
  readPort,
  registerWhereAsked,
  requestKeys,
  runProcess,
  startPublishing,
} from '../../chassis/index.ts';
import { inventoryMigrations } from '../../migrations/inventory/index.ts';
import { buildApp, inventoryGuard } from './app.ts';
import { outbox } from './outbox.ts';

await runProcess('inventory', async ({ env, log }) => {
  const port = readPort(env, 'INVENTORY_PORT', 4001);
  const host = listenHost(env);
  const database = await openDatabase(databaseUrl(env, 'INVENTORY_DATABASE_URL', 'inventory.db'));
  await migrate(database, inventoryMigrations);
  const access = openAccess(env, { upstream: 'inventory' });
  const server = createExpressServer(buildApp({ database, log, access }));
  const listening = await listen(server, { port, host, variable: 'INVENTORY_PORT' });
  const stopPurge = purgeKeys({ database, guard: inventoryGuard, keys: requestKeys, log });
  const stopKeeping = keepEvents({ database, log, outbox, keptMs: eventsKeptMs(env) });
  const stopEvents = startPublishing({
    database,
    outbox,
    sources: ['/inventory'],
    redisUrl: env['REDIS_URL'],
    access,
    log,
  });
  const deregister = await registerWhereAsked({
    name: 'inventory',
    version: codeVersion('extracted/inventory'),
    capabilities: ['inventory'],
    env,
    listening,
    access,
    log,
  });
  return {
    ports: { http: listening.port },
    close: async () => {
      await deregister();
      stopPurge();
      stopKeeping();
      await listening.close();
      await stopEvents();
      await database.close();
    },
  };
});
