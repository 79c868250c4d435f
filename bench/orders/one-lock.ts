import {
  createExpressServer,
  createHttpClient,
  listen,
  LOOPBACK_ONLY,
} from '../../chassis/index.ts';
import { openDatabase, runProcess, serviceUrl } from '../../chassis/index.ts';
import { buildMonolith } from '../../monolith/index.ts';

/** The rival: a monolith in whose database all writes take one lock, and wait for each other. */
await runProcess('one-lock', async ({ env, log }) => {
  const database = await openDatabase(String(env['MONOLITH_DATABASE_URL']));
  const provider = createHttpClient(serviceUrl(env, 'PROVIDER_URL', 0));
  const nowhere = createHttpClient('http://127.0.0.1:9');
  const monolith = buildMonolith({
    database: { ...database, transaction: (work) => database.alone(work) },
    log,
    access: LOOPBACK_ONLY,
    provider,
    inventoryService: nowhere,
    paymentService: nowhere,
  });
  const server = createExpressServer(monolith.app);
  const { port, close } = await listen(server, { port: 0, host: '127.0.0.1', variable: 'PORT' });
  monolith.start();
  return {
    ports: { http: port },
    close: async () => {
      await close();
      await monolith.stop();
      await Promise.all([provider.close(), nowhere.close(), database.close()]);
    },
  };
});
