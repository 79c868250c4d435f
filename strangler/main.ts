import { createExpressServer, listen, listenHost, readPort, runProcess } from '../chassis/index.ts';
import { declarationsOf, Engine } from './engine/index.ts';
import {
  contractFile,
  loadConfig,
  openFlags,
  openFlagStore,
  withFlagsFile,
} from './routing/index.ts';

await runProcess('engine', async ({ env, log }) => {
  const host = listenHost(env);
  const config = await loadConfig(env);
  const capabilities = Object.keys(config.capabilities);
  const flagsEnv = withFlagsFile(env, config);
  const flags = await openFlags({ env: flagsEnv, appName: 'fig-engine', capabilities, log });
  const engine = new Engine({
    declarations: declarationsOf(config, contractFile(env, config)),
    flags,
    flagStore: openFlagStore(flagsEnv),
    redisUrl: env['REDIS_URL'] || undefined,
    log,
  });
  const server = createExpressServer(engine.app);
  const port = readPort(env, 'ENGINE_PORT', 4003);
  const listening = await listen(server, { host, port, variable: 'ENGINE_PORT' });
  engine.start();
  return {
    ports: { http: listening.port },
    async close() {
      await listening.close();
      await engine.close();
      flags.close();
    },
  };
});
