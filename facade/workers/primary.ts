import type { Environment, Logger, Running } from '../../chassis/index.ts';
import { createExpressServer, listen, listenHost, readPort } from '../../chassis/index.ts';
import { buildAdmin } from '../admin.ts';
import { HoldLog } from '../hold-log.ts';
import { MergedFacts } from './merged-facts.ts';
import { Crew } from './crew.ts';

/** The process that clients don't see: it keeps the workers alive, and speaks for all of them. */
export async function runPrimary(count: number, env: Environment, log: Logger): Promise<Running> {
  const holds = new HoldLog();
  const crew = new Crew({ count, log, port: readPort(env, 'FACADE_PORT', 8080), holds });
  const facts = new MergedFacts(crew, holds);
  const admin = await listen(createExpressServer(buildAdmin(facts, log)), {
    host: listenHost(env),
    port: readPort(env, 'ADMIN_PORT', 8081),
    variable: 'ADMIN_PORT',
  });
  const port = await crew.start();
  return {
    ports: { facade: port, admin: admin.port },
    async close() {
      await crew.stop();
      await admin.close();
    },
  };
}
