import { listen, listenHost, readPort, runProcess, serviceUrl } from '../chassis/index.ts';
import { loadConfig, openFlags } from '../strangler/routing/index.ts';
import { buildApp } from './app.ts';

await runProcess('facade', async ({ env, log }) => {
  const host = listenHost(env);
  const config = await loadConfig(env);
  const flags = await openFlags({
    env,
    appName: 'fig-facade',
    capabilities: Object.keys(config.capabilities),
    log,
  });
  const facade = buildApp({
    config,
    flags,
    engineUrl: serviceUrl(env, 'ENGINE_URL', 4003),
    redisUrl: env['REDIS_URL'],
    log,
  });
  await facade.start();
  const admin = await listen(facade.admin, {
    host,
    port: readPort(env, 'ADMIN_PORT', 8081),
    variable: 'ADMIN_PORT',
  });
  const door = await listen(facade.server, {
    host,
    port: readPort(env, 'FACADE_PORT', 8080),
    variable: 'FACADE_PORT',
  });
  return {
    ports: { facade: door.port, admin: admin.port },
    async close() {
      await door.close();
      await admin.close();
      await facade.close();
      flags.close();
    },
  };
});
