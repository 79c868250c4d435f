import {
  createExpressServer,
  databaseUrl,
  listen,
  listenHost,
  migrate,
  openAccess,
  openDatabase,
  readNumber,
  readPort,
  runProcess,
} from '../../chassis/index.ts';
import { providerMigrations } from '../../migrations/provider/index.ts';
import { buildProvider } from './index.ts';

await runProcess('provider', async ({ env, log }) => {
  const port = readPort(env, 'PROVIDER_PORT', 4010);
  // Nothing authenticates its callers, whatever FIG_AUTH says of the shop's.
  const host = listenHost({ ...env, FIG_AUTH: 'off' });
  const slowMs = readNumber(env, 'PROVIDER_SLOW_MS', 1_500);
  const database = await openDatabase(databaseUrl(env, 'PROVIDER_DATABASE_URL', 'provider.db'));
  await migrate(database, providerMigrations);
  const app = buildProvider({ database, log, access: openAccess(env), slowMs });
  const server = await listen(createExpressServer(app), { port, host, variable: 'PROVIDER_PORT' });
  return {
    ports: { http: server.port },
    close: async () => {
      await server.close(500);
      await database.close();
    },
  };
});
