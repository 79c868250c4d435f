import { openAccess, serviceUrl } from '../chassis/index.ts';
import type { Environment, Logger } from '../chassis/index.ts';
import { loadConfig, openFlags, withFlagsFile } from '../routing/index.ts';
import type { FigConfig } from '../routing/index.ts';
import { buildApp } from './app.ts';
import type { Facade, FacadeOptions } from './app.ts';

/** A facade as the environment and the configuration want it; it is not started yet. */
export async function openFacade(
  env: Environment,
  log: Logger,
  more: Pick<FacadeOptions, 'peers' | 'holds'> = {},
): Promise<{ facade: Facade; config: FigConfig; close(): Promise<void> }> {
  const config = await loadConfig(env);
  const flags = await openFlags({
    env: withFlagsFile(env, config),
    appName: 'fig-facade',
    capabilities: Object.keys(config.capabilities),
    log,
  });
  const facade = buildApp({
    env,
    config,
    flags,
    engineUrl: serviceUrl(env, 'ENGINE_URL', 4003),
    redisUrl: env['REDIS_URL'] || undefined,
    log,
    access: openAccess(env),
    ...more,
  });
  return {
    facade,
    config,
    async close() {
      await facade.close();
      flags.close();
    },
  };
}
