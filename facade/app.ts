import type { Server } from 'node:http';
import { createExpressServer, createHttpClient } from '../chassis/index.ts';
import { probeRedis } from '../chassis/redis/index.ts';
import type { Access, Logger } from '../chassis/index.ts';
import type { FigConfig, Flags } from '../strangler/routing/index.ts';
import { readDesiredStates, buildAdmin, LocalFacts } from './admin/index.ts';
import {
  Barriers,
  FacadeRegistration,
  FencePoller,
  NO_PEERS,
  CachedFlags,
  OwnershipCache,
  RoutingFeed,
  UnreplicatedWrites,
} from './ownership/index.ts';
import { compileRoutes, Indexes } from './match/index.ts';
import { clientSocketLimit, snapshotOf } from './forward/index.ts';
import { Experiments } from './compare/index.ts';
import { Upstreams } from './upstream/index.ts';
import type { FacadeDeps, FacadeState } from './forward/index.ts';
import { Counters, HoldLog, UpstreamFailures } from './counting/index.ts';
import { createClientServer } from './client-server.ts';
import type { Configured } from './client-server.ts';
import type { Peers } from './ownership/index.ts';
import { RequestReader } from './request/index.ts';

export interface FacadeOptions {
  readonly config: FigConfig;
  readonly flags: Flags;
  readonly engineUrl: string;
  /** Where routing updates are pushed; without it the engine is asked every second. */
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
  /** Who writes to a capability, also through other workers. */
  unreplicatedOf(capability: string): UnreplicatedWrites | undefined;
  /** Starts to learn who owns what; resolves when the engine has been asked once. */
  start(): Promise<void>;
  /** Takes new requests as this configuration says; those under way end as they began. */
  adopt(config: FigConfig): Promise<void>;
  /** Disconnects from upstreams and Redis; to be called when no request is under way. */
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
  const remembered = new CachedFlags(flags);
  const ownershipCache = new OwnershipCache([], remembered);
  const unreplicated: UnreplicatedWrites[] = [];
  const feed = new RoutingFeed({ ownershipCache, engine, redisUrl, log, token: access.token });
  const poller = new FencePoller({
    ownershipCache,
    log,
    fencesAt: (capability, side) =>
      upstreams.get(capability.upstreams[side]).ask('/fences', access.token.headers('fences')),
  });
  const redis = redisUrl === undefined ? undefined : probeRedis(redisUrl, log);
  const registration = new FacadeRegistration({
    ownershipCache,
    redisUrl,
    log,
    token: access.token,
  });
  const barriers = new Barriers(engine, ownershipCache);
  const upstreamOf: FacadeDeps['upstreamOf'] = (capability, side) =>
    upstreams.get(capability.upstreams[side]);
  const experiments = new Experiments({ ownershipCache, barriers, log, upstreamOf });
  const counters = new Counters();
  const state: FacadeState = {
    log,
    flags: remembered,
    ownershipCache,
    feed,
    unreplicated,
    peers,
    barriers,
    counters,
    failures,
    registration,
    holds,
    experiments,
    upstreamOf,
  };
  let configured = configuredFor(options.config);
  const clientServer = createClientServer(configured);
  const facts = new LocalFacts({
    deps: () => configured.deps,
    state,
    upstreams,
    holds,
    experiments,
    flags,
    redis,
  });

  function configuredFor(config: FigConfig): Configured {
    upstreams.adopt(config);
    const routes = compileRoutes(config, indexes);
    const { capabilities } = routes;
    for (const { index } of capabilities) unreplicated[index] ??= new UnreplicatedWrites();
    ownershipCache.adopt(capabilities);
    barriers.adopt(capabilities, unreplicated);
    poller.adopt(capabilities);
    counters.adopt(capabilities);
    registration.adopt(capabilities);
    const { limits, stickyHeader, trustedHops, timingToken, droppedHeaders } = config;
    const timeoutMs = Math.min(limits.requestMs, limits.attemptMs ?? limits.requestMs);
    const deps: FacadeDeps = {
      ...state,
      limits,
      clientSockets: clientSocketLimit(config),
      routes,
      snapshot: snapshotOf(routes, state),
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
    return { deps, reader };
  }

  return {
    server: clientServer.server,
    admin: createExpressServer(
      buildAdmin({ facts, wishes: readDesiredStates(engine), log, access }),
    ),
    facts,
    unreplicatedOf: (name) => unreplicated[indexes.of(name)],
    async start() {
      barriers.start();
      await Promise.all([feed.start(), registration.start()]);
      await poller.start();
    },
    async adopt(config) {
      configured = configuredFor(config);
      // Before anybody is sent by it: where nothing is known, everything is the owner's.
      await feed.confirm();
      clientServer.adopt(configured);
    },
    async close() {
      redis?.close();
      remembered.close();
      feed.close();
      barriers.close();
      poller.close();
      await registration.close();
      await upstreams.close();
      await experiments.settled();
      await engine.close();
    },
  };
}
