import type { Server } from 'node:http';
import { createExpressServer } from '../../chassis/index.ts';
import { buildAdmin } from './admin.ts';
import type { AdminDeps } from './admin.ts';
import { Events } from './events.ts';

/** The admin port's server; once it listens, requests are counted for the console. */
export function createAdminServer(deps: Omit<AdminDeps, 'events'>): Server {
  const events = new Events(deps);
  const server = createExpressServer(buildAdmin({ ...deps, events }));
  server.once('listening', () => events.start());
  server.once('close', () => events.close());
  return server;
}
