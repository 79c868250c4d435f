import {
  codeVersion,
  connectEventQueues,
  createExpressServer,
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
  startEventConsumer,
} from '../../chassis/index.ts';
import { notificationMigrations } from '../../migrations/notification/index.ts';
import { buildApp } from './app.ts';
import { openMailer } from './mailer.ts';
import { startOutgoing } from './outgoing.ts';
import { createNotifications } from './subscriber.ts';

await runProcess('notification', async ({ env, log }) => {
  const port = readPort(env, 'NOTIFICATION_PORT', 4004);
  const host = listenHost(env);
  const mailer = await openMailer(env);
  const url = databaseUrl(env, 'NOTIFICATION_DATABASE_URL', 'notification.db');
  const database = await openDatabase(url);
  await migrate(database, notificationMigrations);
  const access = openAccess(env, { upstream: 'notification' });
  const subscriber = createNotifications(mailer ? 'waiting' : 'recorded');
  const server = createExpressServer(buildApp({ database, subscriber, log, access }));
  const listening = await listen(server, { port, host, variable: 'NOTIFICATION_PORT' });
  if (mailer) log.info({ server: mailer.server }, 'messages are sent by SMTP');
  else log.warn({ remedy: 'set SMTP_URL' }, 'messages are recorded only: there is no mail server');
  const stopOutgoing = mailer && startOutgoing({ database, mailer, log });
  const stopKeeping = keepEvents({ database, log, receives: true });
  const redisUrl = env['REDIS_URL'];
  const queues = redisUrl ? await connectEventQueues(redisUrl, access.token, log) : undefined;
  if (queues) startEventConsumer({ database, subscribers: [subscriber], queues, log });
  const deregister = await registerWhereAsked({
    name: 'notification',
    version: codeVersion('extracted/notification'),
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
      await stopOutgoing?.();
      await database.close();
    },
  };
});
