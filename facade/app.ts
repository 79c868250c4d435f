import type { Server } from 'node:http';
import { createExpressServer, createHttpClient } from '../chassis/index.ts';
import { probeRedis } from '../chassis/redis/index.ts';
import type { Access, Logger } from '../chassis/index.ts';
import type { FigConfig, Flags } from '../strangler/routing/index.ts';
import { askWishes, buildAdmin, LocalFacts } from './operators/index.ts';
import {
  Barriers,
  Door,
  FenceSurvey,
  NO_PEERS,
  RememberedFlags,
  RoutingBook,
  RoutingFeed,
  WriteNotes,
} from './ownership/index.ts';
import { compileRoutes, Indexes } from './routes/index.ts';
import { clientSocketLimit, circumstancesOf, Experiments, Upstreams } from './exchange/index.ts';
import type { Core, Memory } from './exchange/index.ts';
import { Counters, HoldLog, UpstreamFailures } from './counting/index.ts';
import { createDataPlane } from './data-plane.ts';
import type { Plane } from './data-plane.ts';
import type { Peers } from './ownership/index.ts';
import { RequestReader } from './request/index.ts';

export interface FacadeOptions {
  readonly config: FigConfig;
  readonly flags: Flags;
  readonly engineUrl: string;
  /** Where news of ownership is pushed; without it the engine is asked every second. */
  readonly redisUrl: string | undefined;
  readonly log: Logger;
  /** Which requests the admin port answers, and the token that the engine wants. */
  readonly access: Access;
  /** Other workers at the same port. */
  readonly peers?: Peers;
  readonly holds?: HoldLog;
}

/** A facade that does not listen yet. */
export interface Facade {
  /** For clients. */
  readonly server: Server;
  /** For operators. */
  readonly admin: Server;
  /** What operators may ask. */
  readonly facts: LocalFacts;
  /** Who writes to a capability, also by other doors. */
  notesOf(capability: string): WriteNotes | undefined;
  /** Starts to learn who owns what; resolves when the engine has been asked once. */
  start(): Promise<void>;
  /** Takes new requests as this configuration says; those under way end as they began. */
  adopt(config: FigConfig): Promise<void>;
  /** Lets go of upstreams and news; call it once nobody is served any more. */
  close(): Promise<void>;
}

/** Wires a facade together. */
export function buildApp(options: FacadeOptions): Facade {
  const {
    flags,
    engineUrl,
    redisUrl,
    log,
    access,
    peers = NO_PEERS,
    holds = new HoldLog(),
  } = options;
  const indexes = new Indexes();
  const failures = new UpstreamFailures(log);
  const upstreams = new Upstreams(failures);
  const engine = createHttpClient(engineUrl, undefined, access.token.headers);
  const remembered = new RememberedFlags(flags);
  const book = new RoutingBook([], remembered);
  const notes: WriteNotes[] = [];
  const feed = new RoutingFeed({ book, engine, redisUrl, log, token: access.token });
  const survey = new FenceSurvey({
    book,
    log,
    fencesAt: (capability, side) =>
      upstreams.get(capability.upstreams[side]).ask('/fences', access.token.headers('fences')),
  });
  const redis = redisUrl === undefined ? undefined : probeRedis(redisUrl, log);
  const door = new Door({ book, redisUrl, log, token: access.token });
  const barriers = new Barriers(engine, book);
  const upstreamOf: Core['upstreamOf'] = (capability, side) =>
    upstreams.get(capability.upstreams[side]);
  const experiments = new Experiments({ book, barriers, log, upstreamOf });
  const counters = new Counters();
  const memory: Memory = {
    log,
    flags: remembered,
    book,
    feed,
    notes,
    peers,
    barriers,
    counters,
    failures,
    door,
    holds,
    experiments,
    upstreamOf,
  };
  let plane = planeOf(options.config);
  const dataPlane = createDataPlane(plane);
  const facts = new LocalFacts({
    core: () => plane.core,
    memory,
    upstreams,
    holds,
    experiments,
    flags,
    redis,
  });

  function planeOf(config: FigConfig): Plane {
    upstreams.adopt(config);
    const routes = compileRoutes(config, indexes);
    const { capabilities } = routes;
    for (const { index } of capabilities) notes[index] ??= new WriteNotes();
    book.adopt(capabilities);
    barriers.adopt(capabilities, notes);
    survey.adopt(capabilities);
    counters.adopt(capabilities);
    door.adopt(capabilities);
    const { limits, stickyHeader, trustedHops, timingToken, droppedHeaders } = config;
    const timeoutMs = Math.min(limits.requestMs, limits.attemptMs ?? limits.requestMs);
    const core: Core = {
      ...memory,
      limits,
      clientSockets: clientSocketLimit(config),
      routes,
      circumstances: circumstancesOf(routes, memory),
      monolith: upstreams.get(config.monolith),
      monolithHonoursKeys: config.honoursKeys.includes(config.monolith),
      stickyHeader,
    };
    const keyHeaders = capabilities.flatMap(({ cohorts }) => cohorts?.header ?? []);
    const reader = new RequestReader({
      stickyHeader,
      keyHeaders: keyHeaders.filter((header) => header !== stickyHeader),
      trustedHops,
      timingToken,
      droppedHeaders,
      timeoutMs,
    });
    return { core, reader };
  }

  return {
    server: dataPlane.server,
    admin: createExpressServer(buildAdmin({ facts, wishes: askWishes(engine), log, access })),
    facts,
    notesOf: (name) => notes[indexes.of(name)],
    async start() {
      barriers.start();
      await Promise.all([feed.start(), door.start()]);
      await survey.start();
    },
    async adopt(config) {
      plane = planeOf(config);
      // Before anybody is sent by it: where nothing is known, everything is the owner's.
      await feed.confirm();
      dataPlane.adopt(plane);
    },
    async close() {
      redis?.close();
      remembered.close();
      feed.close();
      barriers.close();
      survey.close();
      await door.close();
      await upstreams.close();
      await experiments.settled();
      await engine.close();
    },
  };
}
