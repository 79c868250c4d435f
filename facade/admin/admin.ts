import { Router } from 'express';
import type { Express, Request, RequestHandler } from 'express';
import { z } from 'zod';
import { createHttpClient, parse, Problem } from '../../chassis/index.ts';
import { createHttpApp } from '../../chassis/web/index.ts';
import { entriesOf, operatorIn } from '../../chassis/audit/index.ts';
import type { AuditEntry, AuditTrail } from '../../chassis/audit/index.ts';
import type { Access, HttpClient, Logger } from '../../chassis/index.ts';
import type { FigConfig } from '../../routing/index.ts';
import { applicationLetters } from './application-letters.ts';
import { consoleFiles, PAGE_HEADERS, SIGN_IN_PAGE } from './console-files.ts';
import { engineProxy } from './engine-proxy.ts';
import type { Events } from './events.ts';
import type { Facts } from './facts.ts';
import { Sessions } from './sessions.ts';
import type { DesiredStates } from './desired-states.ts';

/** The routes of the admin port, and what each is for. */
const INDEX: Readonly<Record<string, string>> = {
  '/console/': 'the console, for a browser: fig open lets it in',
  '/events': 'what the console shows, as a stream of server-sent events',
  '/audit': 'what operators have asked for, and what came of it; ?limit=100',
  '/status': 'who owns what, flags, comparisons and the newest differences, what is under way',
  '/explain?method=GET&path=/': 'where a request would go, and why; add &customer=C for a customer',
  '/holds?since=0': 'how long writes were held while ownership moved',
  '/upstreams': 'whether each upstream answers, and why not',
  '/metrics': 'counters and times, for Prometheus',
  '/readyz': 'whether it can serve',
  '/livez': 'whether it runs, and which build',
  '/.well-known/jwks.json': 'the keys by which upstreams check identities',
};
const EXPLAIN_USAGE = 'ask like /explain?method=GET&path=/api/x&customer=C, each once';
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const asked = z.strictObject({
  method: z.string().min(1).toUpperCase().default('GET'),
  path: z.string().min(1).describe('the request target, such as /api/x?y=z'),
  customer: z
    .string()
    .optional()
    .transform((name) => name || undefined),
  key: z
    .string()
    .optional()
    .transform((name) => name || undefined)
    .describe('whom it is about, where another header than the customer’s says so'),
});

/** What operators have asked for, the newest first: the answer of `GET /audit`. */
export interface AuditList {
  readonly entries: readonly AuditEntry[];
  /** How many lines of the trail can't be read. */
  readonly damaged: number;
}

export interface AdminDeps {
  readonly facts: Facts;
  readonly engine: HttpClient;
  readonly events: Events;
  /** The configuration in use. */
  readonly config: () => Pick<FigConfig, 'deadLetters' | 'upstreams'>;
  /** What the engine says of the flags' wishes. */
  readonly wishes: () => Promise<DesiredStates>;
  /** The keys by which upstreams check identities. */
  readonly jwks: () => object;
  readonly log: Logger;
  readonly access: Access;
  /** Where orders are recorded, and read again; absent where they are not. */
  readonly audit?: AuditTrail | undefined;
}

/** The operator's side of the facade: health, ownership as it knows it, metrics. */
export function buildAdmin(deps: AdminDeps): Express {
  const { facts, engine, events, config, wishes, jwks, log, access, audit } = deps;
  const sessions = new Sessions();
  const routes = Router();
  routes.post('/links', (req, res) => {
    const who = operatorIn(req.headers).who ?? 'unknown';
    res.status(201).json({ path: `/open?code=${sessions.createCode(who)}` });
  });
  routes.get('/', (req, res) => {
    if (wantsPage(req)) res.redirect(303, '/console/');
    else res.json({ name: 'facade', for: 'operators', routes: INDEX });
  });
  routes.get('/status', async (_req, res) => {
    const [status, desired, traffic] = await Promise.all([
      facts.status(),
      wishes(),
      events.traffic(),
    ]);
    const capabilities = status.capabilities.map((capability) => {
      return { ...capability, wish: desired?.[capability.name] ?? null };
    });
    const answers = desired === null ? 'away' : 'answers';
    res.json({ ...status, engine: answers, capabilities, traffic });
  });
  routes.get('/holds', async (req, res) => {
    const since = Number(req.query['since'] ?? 0);
    res.json(await facts.holds(Number.isFinite(since) ? since : 0));
  });
  routes.get('/upstreams', async (_req, res) => {
    res.json({ upstreams: await facts.upstreams() });
  });
  routes.get('/metrics', async (_req, res) => {
    res.type(METRICS_TYPE).send(await facts.metrics());
  });
  routes.get('/explain', async (req, res) => {
    res.json(await facts.explain(parse(asked, { ...req.query }, 'query', EXPLAIN_USAGE)));
  });
  routes.get('/audit', async (req, res) => {
    const { events: all, damaged } = (await audit?.read()) ?? { events: [], damaged: 0 };
    const limit = Number(req.query['limit'] ?? 100);
    const entries = entriesOf(all).slice(0, Number.isInteger(limit) && limit > 0 ? limit : 100);
    const list: AuditList = { entries, damaged };
    res.json(list);
  });
  routes.get('/events', (_req, res) => events.open(res));
  routes.use('/console', consoleFiles());
  return createHttpApp({
    name: 'facade',
    figures: null,
    log,
    access,
    operators: {
      entrance: entranceOf(sessions, access, jwks),
      isSession: (req) => sessions.accepts(req),
      audit: audit && {
        trail: audit,
        by: 'admin',
        // The engine records what it is passed.
        leavesOut: ({ path }) => path.startsWith('/engine/'),
        sessionOf: (req) => sessions.operatorOf(req),
      },
    },
    routes: [
      routes,
      engineProxy({
        engine,
        engineAt: (url) => createHttpClient(url, undefined, access.token.headers),
        onOrder: () => void events.refresh().catch(() => undefined),
        sessionOf: (req) => sessions.operatorOf(req),
        audit,
      }),
      applicationLetters(() => ({ token: access.token, config: config() })),
    ],
    readiness: {
      routing: async () => {
        const { routing, routingAgeMs } = await facts.readiness();
        return routing && { ageMs: routingAgeMs ?? 0 };
      },
      monolith: async () => (await facts.readiness()).monolith,
      // It never keeps the facade from serving.
      gateway: async () => {
        const notes = (await facts.status()).gateway.map(({ what }) => what);
        return notes.length === 0 || { note: notes.join('; ') };
      },
      redis: async () => {
        const { redis } = await facts.readiness();
        if (redis !== null) throw new Error(redis);
        return true;
      },
      flags: async () => {
        const { ok, note } = (await facts.readiness()).flags;
        if (!ok) throw new Error(note ?? 'the flags were never read');
        return note === null || { note };
      },
    },
  });
}

/**
 * Routes that need no token: the public keys of identities, and where `fig open` sends a browser. The
 * code becomes a cookie, and is not in the address any more.
 */
function entranceOf(sessions: Sessions, { token }: Access, jwks: AdminDeps['jwks']): Router {
  const entrance = Router();
  entrance.use(['/', '/console'], askIn);
  entrance.get('/.well-known/jwks.json', (_req, res) => {
    res.json(jwks());
  });
  entrance.get('/open', (req, res) => {
    const { code } = req.query;
    const cookie = typeof code === 'string' ? sessions.enter(code) : undefined;
    if (cookie === undefined) {
      const detail = 'this link was opened before, or is too old: fig open makes another';
      throw new Problem(403, 'link_used', detail);
    }
    res.set({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
    res.set('set-cookie', cookie).redirect(303, '/console/');
  });
  return entrance;

  /** A person who has opened a page needs to know how to be let in. */
  function askIn(...[req, res, next]: Parameters<RequestHandler>): void {
    const isPage = wantsPage(req) && (req.originalUrl === '/' || req.baseUrl === '/console');
    if (!isPage || sessions.accepts(req) || token.accepts(req.headers.authorization)) next();
    else res.status(401).set(PAGE_HEADERS).type('html').send(SIGN_IN_PAGE);
  }
}

/** Whether a browser wants a page, and no program wants JSON. */
function wantsPage({ method, headers }: Pick<Request, 'method' | 'headers'>): boolean {
  return method === 'GET' && (headers.accept ?? '').includes('text/html');
}
