import type { Environment, Logger, Running } from '../../chassis/index.ts';
import { createServer } from 'node:http';
import { openAuditTrail } from '../../chassis/audit/index.ts';
import { listen, listenHost, openAccess, readPort, serviceUrl } from '../../chassis/index.ts';
import { createAdminServer, readDesiredStates } from '../admin/index.ts';
import { HoldLog } from '../counting/index.ts';
import { publishedKeys } from '../gateway/index.ts';
import { leadingEngine } from '../leading-engine.ts';
import { loadConfig } from '../../routing/index.ts';
import { MergedFacts } from './merged-facts.ts';
import { WorkerPool } from './worker-pool.ts';

/** The process that clients don't see: it keeps the workers alive, and speaks for all of them. */
export async function runPrimary(count: number, env: Environment, log: Logger): Promise<Running> {
  const host = listenHost(env);
  const port = await choosePort(env, host);
  const holds = new HoldLog();
  const pool = new WorkerPool({ count, log, port, holds });
  const facts = new MergedFacts(pool, holds);
  const access = openAccess(env);
  const engineUrl = serviceUrl(env, 'ENGINE_URL', 4003);
  const engine = leadingEngine(engineUrl, access.token.headers);
  const config = await loadConfig(env);
  const server = createAdminServer({
    facts,
    engine,
    config: () => config,
    wishes: readDesiredStates(engine),
    jwks: () => publishedKeys(env, config.gateway),
    log,
    access,
    audit: openAuditTrail(env, log),
  });
  const admin = await listen(server, {
    host,
    port: readPort(env, 'ADMIN_PORT', 8081),
    variable: 'ADMIN_PORT',
  });
  await pool.start();
  return {
    ports: { facade: port, admin: admin.port },
    async close() {
      await pool.stop();
      await admin.close();
      await engine.close();
    },
  };
}

/**
 * All workers must ask for the same port, and get it again after all of them have died. Trying it
 * here also tells that it is taken before a worker is started.
 */
async function choosePort(env: Environment, host: string): Promise<number> {
  const wanted = readPort(env, 'FACADE_PORT', 8080);
  const trial = await listen(createServer(), { host, port: wanted, variable: 'FACADE_PORT' });
  await trial.close(0);
  return trial.port;
}
