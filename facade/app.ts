import type { Server } from 'node:http';
import { openAuditTrail } from '../chassis/audit/index.ts';
import { probeRedis } from '../chassis/redis/index.ts';
import type { Access, Environment, Logger } from '../chassis/index.ts';
import type { FigConfig, Flags } from '../routing/index.ts';
import { createAdminServer, readDesiredStates, LocalFacts } from './admin/index.ts';
import {
  Barriers,
  FacadeRegistration,
  FencePoller,
  CachedFlags,
  OwnershipCache,
  OwnWrites,
  RoutingFeed,
} from './ownership/index.ts';
import { compileRoutes, Indexes } from './match/index.ts';
import type { Routes } from './match/index.ts';
import { clientSocketLimit } from './forward/index.ts';
import { Experiments } from './compare/index.ts';
import { Discovery, DnsDiscovery, Slots, Upstreams } from './upstream/index.ts';
import type { ConfiguredDeps, FacadeDeps } from './forward/index.ts';
import { Counters, HoldLog, UpstreamFailures } from './counting/index.ts';
import { Gateway, publishedKeys } from './gateway/index.ts';
import { createClientServer } from './client-server.ts';
import { leadingEngine } from './leading-engine.ts';
import type { Noted, Peers } from './ownership/index.ts';
import { Deadlines, RequestReader } from './request/index.ts';

/** How many writes that were held are sent at a time. */
const RELEASE_WIDTH = 64;

export interface FacadeOptions {
  readonly env: Environment;
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
  notedIn(name: string): Noted | undefined;
  /** Starts to learn who owns what; resolves when the engine has been asked once. */
  start(): Promise<void>;
  /** Takes new requests as this configuration says; those under way end as they began. */
  adopt(config: FigConfig): Promise<void>;
  /** Disconnects from upstreams and Redis; to be called when no request is under way. */
  close(): Promise<void>;
}

/** Wires a facade together. */
export function buildApp(options: FacadeOptions): Facade {
  const { env, flags, engineUrl, redisUrl, log, access, peers, holds = new HoldLog() } = options;
  const indexes = new Indexes();
  const counters = new Counters();
  const failures = new UpstreamFailures(log);
  const gateway = new Gateway({
    env,
    log,
    counters,
    redisUrl,
    peers,
    monolith: () => deps.monolith,
  });
  const upstreams = new Upstreams(failures, (name, patterns) =>
    gateway.resilienceFor(name, patterns),
  );
  const discoveries = [
    new Discovery({ redisUrl, token: access.token, log }),
    new DnsDiscovery(log),
  ];
  const engine = leadingEngine(engineUrl, access.token.headers);
  const cachedFlags = new CachedFlags(flags);
  const ownershipCache = new OwnershipCache([], cachedFlags);
  const ownWrites = new OwnWrites(peers);
  const { token } = access;
  const told = () => registration.header;
  const feed = new RoutingFeed({ ownershipCache, engine, redisUrl, log, token, told });
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
    token,
    askEngine: () => feed.confirm(),
  });
  const barriers = new Barriers(engine, ownershipCache, ownWrites);
  const upstreamOf: FacadeDeps['upstreamOf'] = (capability, side) =>
    upstreams.get(capability.upstreams[side]);
  const lasting: Omit<FacadeDeps, keyof ConfiguredDeps> = {
    log,
    flags,
    cachedFlags,
    ownershipCache,
    ownWrites,
    feed,
    barriers,
    registration,
    counters,
    failures,
    holds,
    experiments: new Experiments({ ownershipCache, barriers, log, upstreamOf }),
    upstreams,
    releases: new Slots(RELEASE_WIDTH),
    issuerTrouble: () => gateway.issuerTrouble,
    redis,
    upstreamOf,
  };
  let { config: current } = options;
  let deps = configuredFor(current);
  const clientServer = createClientServer(deps);
  const facts = new LocalFacts(() => deps);

  function configuredFor(config: FigConfig): FacadeDeps {
    // First: these may refuse the configuration, and then nothing of it is in use.
    const guards = gateway.guardsFor(config);
    const versions = gateway.versionsFor(config);
    const handle = gateway.handlerFor(config, versions);
    upstreams.adopt(config);
    for (const discovery of discoveries) discovery.adopt(upstreams.all());
    const routes = compileRoutes(config, indexes);
    const { capabilities } = routes;
    ownWrites.adopt(capabilities);
    ownershipCache.adopt(capabilities);
    barriers.adopt(capabilities);
    poller.adopt(capabilities);
    counters.adopt(capabilities);
    registration.adopt(capabilities);
    const { limits, stickyHeader } = config;
    const { requestMs, attemptMs = requestMs } = limits;
    return {
      ...lasting,
      guards,
      versions,
      handle,
      limits,
      clientSockets: clientSocketLimit(config),
      reader: readerFor(config, routes),
      routes,
      monolith: upstreams.get(config.monolith),
      upstreamFor: (match, to) => {
        if (to !== 'monolith' && match.capability) return lasting.upstreamOf(match.capability, to);
        return upstreams.get(
          (match.kind === 'pass' ? match.service : undefined) ?? config.monolith,
        );
      },
      monolithHonoursKeys: config.honoursKeys.includes(config.monolith),
      stickyHeader,
      deadlines: new Deadlines(requestMs),
      tryDeadlines: attemptMs < requestMs ? new Deadlines(attemptMs) : undefined,
    };
  }

  return {
    server: clientServer.server,
    admin: createAdminServer({
      facts,
      engine,
      config: () => current,
      wishes: readDesiredStates(engine),
      jwks: () => publishedKeys(env, current.gateway),
      log,
      access,
      audit: openAuditTrail(env, log),
    }),
    facts,
    notedIn: (name) => ownWrites.named(name) ?? gateway.notedIn(name),
    async start() {
      barriers.start();
      await Promise.all([feed, registration, ...discoveries].map((each) => each.start()));
      await poller.start();
    },
    async adopt(config) {
      deps = configuredFor(config);
      current = config;
      // Before anybody is sent by it: where nothing is known, everything is the owner's.
      await feed.confirm();
      clientServer.adopt(deps);
    },
    async close() {
      redis?.close();
      gateway.close();
      cachedFlags.close();
      feed.close();
      for (const discovery of discoveries) discovery.close();
      barriers.close();
      poller.close();
      await registration.close();
      await upstreams.close();
      await lasting.experiments.settled();
      await engine.close();
    },
  };
}

function readerFor(config: FigConfig, { capabilities }: Routes): RequestReader {
  const { limits, stickyHeader, trustedHops, timingToken, droppedHeaders } = config;
  const keyHeaders = capabilities.flatMap(({ cohorts }) => cohorts?.header ?? []);
  return new RequestReader({
    stickyHeader,
    keyHeaders: keyHeaders.filter((header) => header !== stickyHeader),
    trustedHops,
    timingToken,
    droppedHeaders,
    timeoutMs: Math.min(limits.requestMs, limits.attemptMs ?? limits.requestMs),
  });
}
