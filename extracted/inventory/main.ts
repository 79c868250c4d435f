import {
  createExpressServer,
  databaseUrl,
  listen,
  listenHost,
  migrate,
  openAccess,
  openDatabase,
  purgeKeys,
  readPort,
  requestKeys,
  runProcess,
} from '../../chassis/index.ts';
import { inventoryMigrations } from '../../migrations/inventory/index.ts';
import { buildApp, inventoryGuard } from './app.ts';

await runProcess('inventory', async ({ env, log }) => {
  const port = readPort(env, 'INVENTORY_PORT', 4001);
  const host = listenHost(env);
  const database = await openDatabase(databaseUrl(env, 'INVENTORY_DATABASE_URL', 'inventory.db'));
  await migrate(database, inventoryMigrations);
  const server = createExpressServer(
    buildApp({ database, log, access: openAccess(env, { upstream: 'inventory' }) }),
  );
  const listening = await listen(server, { port, host, variable: 'INVENTORY_PORT' });
  const stopPurge = purgeKeys({ database, guard: inventoryGuard, keys: requestKeys, log });
  return {
    ports: { http: listening.port },
    close: async () => {
      stopPurge();
      await listening.close();
      await database.close();
    },
  };
});
