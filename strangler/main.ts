import { hostname } from 'node:os';
import {
  createExpressServer,
  listen,
  listenHost,
  openAccess,
  readPort,
  runProcess,
  serviceUrl,
} from '../chassis/index.ts';
import { openAuditTrail } from '../chassis/audit/index.ts';
import { probeRedis } from '../chassis/redis/index.ts';
import type { Environment } from '../chassis/index.ts';
import { declarationsOf, Engine } from './engine/index.ts';
import {
  contractFile,
  loadConfig,
  openFlags,
  openFlagStore,
  watchConfig,
  withFlagsFile,
} from '../routing/index.ts';

await runProcess('engine', async ({ env, log }) => {
  const host = listenHost(env);
  const config = await loadConfig(env);
  const capabilities = Object.keys(config.capabilities);
  const flagsEnv = withFlagsFile(env, config);
  const flags = await openFlags({ env: flagsEnv, appName: 'fig-engine', capabilities, log });
  const redisUrl = env['REDIS_URL'] || undefined;
  const redis = redisUrl === undefined ? undefined : probeRedis(redisUrl, log);
  const engine = new Engine({
    declarations: declarationsOf(config, contractFile(env, config)),
    flags,
    flagStore: openFlagStore(flagsEnv),
    redisUrl,
    ...(redis && { readiness: { redis: redis.readiness } }),
    log,
    access: openAccess(env, { urls: [env['ENGINE_ADDRESS'] ?? ''] }),
    audit: openAuditTrail(env, log),
  });
  const server = createExpressServer(engine.app);
  const port = readPort(env, 'ENGINE_PORT', 4003);
  const listening = await listen(server, { host, port, variable: 'ENGINE_PORT' });
  engine.start(addressIn(env, host, listening.port));
  const stopWatching = watchConfig({ process: 'engine', config, env, log });
  return {
    ports: { http: listening.port },
    async close() {
      stopWatching();
      redis?.close();
      await listening.close();
      await engine.close();
      flags.close();
    },
  };
});

/** Where others reach this engine; from another machine only under the address that is given. */
function addressIn(env: Environment, host: string, port: number): string {
  const everywhere = host === '0.0.0.0' || host === '::';
  const name = everywhere ? hostname() : host.includes(':') ? `[${host}]` : host;
  const own = `http://${name}:${port}`;
  return serviceUrl({ ENGINE_ADDRESS: env['ENGINE_ADDRESS'] || own }, 'ENGINE_ADDRESS', 4003);
}
