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
  readNumber,
  readPort,
  registerWhereAsked,
  runProcess,
  serviceUrl,
  startPublishing,
} from '../../chassis/index.ts';
import { paymentMigrations } from '../../migrations/payment/index.ts';
import { buildApp, paymentKeys } from './app.ts';
import { paymentGuard } from './guard.ts';
import { outbox } from './outbox.ts';
import { createProvider } from './provider.ts';
import { startResolver } from './resolver.ts';

await runProcess('payment', async ({ env, log }) => {
  const port = readPort(env, 'PAYMENT_PORT', 4002);
  const host = listenHost(env);
  const provider = createProvider({
    url: serviceUrl(env, 'PROVIDER_URL', 4010),
    timeoutMs: readNumber(env, 'PROVIDER_TIMEOUT_MS', 2_000),
  });
  const database = await openDatabase(databaseUrl(env, 'PAYMENT_DATABASE_URL', 'payment.db'));
  await migrate(database, paymentMigrations);
  const scope = { database, guard: paymentGuard, keys: paymentKeys, now: Date.now };
  const access = openAccess(env, { upstream: 'payment' });
  const server = createExpressServer(buildApp({ scope, provider, log, access }));
  const listening = await listen(server, { port, host, variable: 'PAYMENT_PORT' });
  const stopPurge = purgeKeys({ ...scope, log });
  const stopResolver = startResolver(scope, provider, log);
  const stopKeeping = keepEvents({ database, log, outbox, keptMs: eventsKeptMs(env) });
  const stopEvents = startPublishing({
    database,
    outbox,
    sources: ['/payment'],
    redisUrl: env['REDIS_URL'],
    access,
    log,
  });
  const deregister = await registerWhereAsked({
    name: 'payment',
    version: codeVersion('extracted/payment'),
    capabilities: ['payment'],
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
      await provider.close();
      await stopResolver();
      await database.close();
    },
  };
});
