import {
  codeVersion,
  connectEventQueues,
  createExpressServer,
  createHttpClient,
  databaseUrl,
  keepEvents,
  listen,
  listenHost,
  migrate,
  openAccess,
  openDatabase,
  readPort,
  registerWhereAsked,
  runProcess,
  serviceUrl,
  startEventConsumer,
} from '../../chassis/index.ts';
import { orderViewMigrations } from '../../migrations/order-view/index.ts';
import { buildApp } from './app.ts';
import { ensureProjection } from './generations.ts';
import { startReplay } from './replay.ts';
import { createOrderView } from './subscriber.ts';

const ARCHIVE_MS = 10_000;

await runProcess('order-view', async ({ env, log }) => {
  const port = readPort(env, 'ORDER_VIEW_PORT', 4005);
  const host = listenHost(env);
  const access = openAccess(env, { upstream: 'order-view' });
  const system = (): Readonly<Record<string, string>> => access.token.headers('system');
  const archives = [
    { name: 'monolith', url: serviceUrl(env, 'MONOLITH_URL', 4000) },
    { name: 'payment', url: serviceUrl(env, 'PAYMENT_URL', 4002) },
  ].map(({ name, url }) => ({ name, client: createHttpClient(url, ARCHIVE_MS, system) }));
  const database = await openDatabase(databaseUrl(env, 'ORDER_VIEW_DATABASE_URL', 'order-view.db'));
  await migrate(database, orderViewMigrations);
  await ensureProjection(database);
  const subscriber = createOrderView();
  const server = createExpressServer(buildApp({ database, subscriber, log, access }));
  const listening = await listen(server, { port, host, variable: 'ORDER_VIEW_PORT' });
  const stopReplay = startReplay({ database, archives, log });
  const stopKeeping = keepEvents({ database, log, receives: true });
  const redisUrl = env['REDIS_URL'];
  const queues = redisUrl ? await connectEventQueues(redisUrl, access.token, log) : undefined;
  if (queues) startEventConsumer({ database, subscribers: [subscriber], queues, log });
  const deregister = await registerWhereAsked({
    name: 'order-view',
    version: codeVersion('extracted/order-view'),
    capabilities: [],
    env,
    listening,
    access,
    log,
  });
  return {
    ports: { http: listening.port },
    close: async () => {
      await deregister();
      stopKeeping();
      await listening.close();
      await queues?.close();
      await stopReplay();
      await Promise.all(archives.map(({ client }) => client.close()));
      await database.close();
    },
  };
});
