import type { Server } from 'node:http';
import { createExpressServer, createHttpClient } from '../chassis/index.ts';
import type { Logger } from '../chassis/index.ts';
import type { FigConfig, Flags } from '../strangler/routing/index.ts';
import { buildAdmin } from './admin.ts';
import { Barriers } from './barriers.ts';
import { compileRoutes } from './capability.ts';
import type { Capability } from './capability.ts';
import type { Core } from './core.ts';
import { Counters } from './counters.ts';
import { createDataPlane } from './data-plane.ts';
import { Experiments } from './experiment.ts';
import { HoldLog } from './hold-log.ts';
import { RememberedFlags } from './remembered-flags.ts';
import { RequestReader } from './request-form.ts';
import { RoutingBook } from './routing-book.ts';
import { RoutingFeed } from './routing-feed.ts';
import { Upstream } from './upstream.ts';
import { WriteNotes } from './write-notes.ts';

export interface FacadeOptions {
  readonly config: FigConfig;
  readonly flags: Flags;
  readonly engineUrl: string;
  /** Where news of ownership is pushed; without it the engine is asked every second. */
  readonly redisUrl: string | undefined;
  readonly log: Logger;
}

/** A facade that does not listen yet. */
export interface Facade {
  /** For clients. */
  readonly server: Server;
  /** For operators. */
  readonly admin: Server;
  /** Starts to learn who owns what; resolves when the engine has been asked once. */
  start(): Promise<void>;
  /** Lets go of upstreams and news; call it once nobody is served any more. */
  close(): Promise<void>;
}

/** Wires a facade together. */
export function buildApp({ config, flags, engineUrl, redisUrl, log }: FacadeOptions): Facade {
  const routes = compileRoutes(config);
  const { capabilities } = routes;
  const engine = createHttpClient(engineUrl);
  const upstreams = new Map(
    Object.entries(config.upstreams).map(([name, url]) => [name, new Upstream(name, url)]),
  );
  const upstream = (name: string): Upstream => upstreams.get(name) as Upstream;
  const pairs = capabilities.map(({ upstreams: names }) => ({
    legacy: upstream(names.legacy),
    extracted: upstream(names.extracted),
  }));
  const upstreamOf: Core['upstreamOf'] = (capability, side) =>
    (pairs[capability.index] as (typeof pairs)[number])[side];
  const remembered = new RememberedFlags(flags);
  const book = new RoutingBook(capabilities, remembered);
  const notes = capabilities.map(() => new WriteNotes());
  const feed = new RoutingFeed({ book, engine, redisUrl, log });
  const barriers = new Barriers(engine, book, capabilities, notes);
  const experiments = new Experiments({ capabilities, book, barriers, log, upstreamOf });
  const core: Core = {
    limits: config.limits,
    log,
    routes,
    flags: remembered,
    book,
    feed,
    notes,
    monolith: upstream(config.monolith),
    counters: new Counters(capabilities.map(({ name }: Capability) => name)),
    holds: new HoldLog(),
    experiments,
    upstreamOf,
  };
  const reader = new RequestReader(config.stickyHeader);
  return {
    server: createDataPlane(core, reader),
    admin: createExpressServer(buildAdmin({ core, experiments, flags, log })),
    start: () => feed.start(),
    async close() {
      remembered.close();
      feed.close();
      barriers.close();
      await Promise.all([...upstreams.values()].map((each) => each.close()));
      await experiments.settled();
      await engine.close();
    },
  };
}
