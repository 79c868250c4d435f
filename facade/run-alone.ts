import { listen, listenHost, readPort } from '../chassis/index.ts';
import type { Environment, Logger, Running } from '../chassis/index.ts';
import { watchConfig } from '../routing/index.ts';
import { openFacade } from './open-facade.ts';

/** One process that serves clients and operators. */
export async function runAlone(env: Environment, log: Logger): Promise<Running> {
  const host = listenHost(env);
  const { facade, config, close } = await openFacade(env, log);
  await facade.start();
  const admin = await listen(facade.admin, {
    host,
    port: readPort(env, 'ADMIN_PORT', 8081),
    variable: 'ADMIN_PORT',
  });
  const clients = await listen(facade.server, {
    host,
    port: readPort(env, 'FACADE_PORT', 8080),
    variable: 'FACADE_PORT',
  });
  const stopWatching = watchConfig({
    process: 'facade',
    config,
    env,
    log,
    adopt: (next) => facade.adopt(next),
  });
  return {
    ports: { facade: clients.port, admin: admin.port },
    async close() {
      stopWatching();
      await clients.close();
      await admin.close();
      await close();
    },
  };
}
