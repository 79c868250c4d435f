import {
  codeVersion,
  createExpressServer,
  createHttpClient,
  databaseUrl,
  eventsKeptMs,
  listen,
  listenHost,
  migrate,
  openAccess,
  openDatabase,
  readNumber,
  readPort,
  registerWhereAsked,
  runProcess,
  serviceUrl,
} from '../chassis/index.ts';
import { probeRedis } from '../chassis/redis/index.ts';
import { monolithMigrations } from '../migrations/monolith/index.ts';
import { buildMonolith, DEFAULT_TIMING } from './app.ts';
import { startEvents } from './events.ts';

await runProcess('monolith', async ({ env, log }) => {
  const port = readPort(env, 'MONOLITH_PORT', 4000);
  const host = listenHost(env);
  const access = openAccess(env, { upstream: 'monolith' });
  const system = (): Readonly<Record<string, string>> => access.token.headers('system');
  const clients = {
    provider: createHttpClient(serviceUrl(env, 'PROVIDER_URL', 4010)),
    inventoryService: createHttpClient(serviceUrl(env, 'INVENTORY_URL', 4001), undefined, system),
    // Longer than a charge may take there, so that a slow card is not asked for twice.
    paymentService: createHttpClient(serviceUrl(env, 'PAYMENT_URL', 4002), 10_000, system),
  };
  const redisUrl = env['REDIS_URL'] || undefined;
  const redis = redisUrl === undefined ? undefined : probeRedis(redisUrl, log);
  const database = await openDatabase(databaseUrl(env, 'MONOLITH_DATABASE_URL', 'monolith.db'));
  await migrate(database, monolithMigrations);
  const monolith = buildMonolith({
    database,
    log,
    access,
    ...clients,
    eventsKeptMs: eventsKeptMs(env),
    ...(redis && { readiness: { redis: redis.readiness } }),
    timing: {
      providerTimeoutMs: readNumber(env, 'PROVIDER_TIMEOUT_MS', DEFAULT_TIMING.providerTimeoutMs),
      shipAfterMs: readNumber(env, 'SHIP_AFTER_MS', DEFAULT_TIMING.shipAfterMs),
    },
  });
  const server = createExpressServer(monolith.app);
  const listening = await listen(server, { port, host, variable: 'MONOLITH_PORT' });
  monolith.start();
  const stopEvents = redisUrl ? await startEvents({ database, redisUrl, access, log }) : undefined;
  const deregister = await registerWhereAsked({
    name: 'monolith',
    version: codeVersion('monolith'),
    capabilities: ['inventory', 'payment'],
    env,
    listening,
    access,
    log,
  });
  return {
    ports: { http: listening.port },
    close: async () => {
      await deregister();
      redis?.close();
      await listening.close();
      await Promise.all([monolith.stop(), stopEvents?.()]);
      await Promise.all(Object.values(clients).map((client) => client.close()));
      await database.close();
    },
  };
});
