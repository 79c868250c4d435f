import { createHash } from 'node:crypto';
import type { CacheConfig, CachedRoute, FigConfig } from '../../../routing/index.ts';
import type {
  AnswerFilter,
  FacadeDeps,
  Handler,
  RequestContext,
  WholeAnswer,
} from '../../forward/index.ts';
import { failInFacade } from '../../forward/index.ts';
import { PathRules } from '../../match/index.ts';
import { NO_PEERS } from '../../ownership/index.ts';
import type { Changed, Noted, Peers } from '../../ownership/index.ts';
import { isSafe } from '../../request/index.ts';
import type { RequestForm } from '../../request/index.ts';
import { headerOf } from '../../upstream/index.ts';
import { Entries } from './entries.ts';
import type { Entry } from './entries.ts';
import { directivesOf, kept } from './headers.ts';
import { bypassOf } from './settled.ts';
import { allowanceOf } from './storable.ts';
import type { Allowance } from './storable.ts';
import { KnownWrites, topicOf } from './writes.ts';

const SERVER_ERRORS = 500;
/** Larger answers of 5xx are passed on. */
const ERROR_BYTES = 65_536;
/** What an answer says of its own transfer. */
const OF_ONE_TRANSFER = /^(?:content-length|via|age|traceparent|server-timing|cache-status)$/;
const OF_THE_CONTENT = /^(?:cache-control|content-location|date|etag|expires|vary)$/;

/** Gives answers of GET again, for as long as the route and the upstream allow it. */
export class Cache {
  readonly #routes: PathRules<CachedRoute>;
  readonly #entries: Entries;
  readonly #entryBytes: number;
  readonly #counted: Map<string, number>;
  readonly #writes = new KnownWrites();
  readonly #peers: Peers;

  constructor(
    { routes, maxBytes, entryBytes }: CacheConfig,
    config: Pick<FigConfig, 'stripsParameters' | 'monolith'>,
    counted: Map<string, number>,
    peers: Peers = NO_PEERS,
  ) {
    this.#routes = new PathRules<CachedRoute>(routes, config);
    this.#peers = peers;
    this.#entries = new Entries(maxBytes);
    this.#entryBytes = Math.min(entryBytes, maxBytes);
    this.#counted = counted;
  }

  handler(next: Handler): Handler {
    return (context, deps) => {
      const { form } = context;
      const route = this.#routes.find(form.method, form.path);
      if (!isSafe(form.method)) {
        const told = this.#watchWrite(route, context);
        if (told) {
          const proceed = async (): Promise<void> => {
            await told;
            if (!context.over) next(context, deps);
          };
          proceed().catch((error: unknown) => failInFacade(context, deps, error));
          return;
        }
      } else if (route && (form.method === 'GET' || form.method === 'HEAD')) {
        if (this.#answer(route, context, deps)) return;
      }
      next(context, deps);
    };
  }

  /** @returns false where the upstream is asked */
  #answer(route: CachedRoute, context: RequestContext, deps: FacadeDeps): boolean {
    const { form } = context;
    const asks = directivesOf(form.headers);
    const bypass =
      bypassOf(context, deps) ??
      (this.#isWrittenElsewhere(route, context) ? 'write' : undefined) ??
      (isCommon(form, asks) ? undefined : 'request');
    if (bypass) {
      this.#note(context, 'bypass', `fwd=bypass; detail=${bypass}`);
      return false;
    }
    const stamp = this.#stampOf(route, context, deps);
    const found = this.#entries.find(context);
    const entry = found?.stamp === stamp ? found : undefined;
    const now = performance.now();
    if (entry && now < entry.freshUntil && isYoungEnough(entry, asks, now)) {
      this.#note(context, 'hit', `hit; ttl=${secondsTo(entry.freshUntil, now)}`);
      const { status, fields, body } = answerOf(entry, form.headers);
      context.reply(status, fields, status === 304 ? undefined : body);
      return true;
    }
    const stale = entry && now < entry.staleUntil ? entry : undefined;
    const forwarded = found ? 'fwd=stale' : 'fwd=miss';
    this.#note(context, 'miss', forwarded);
    // HEAD has nothing to keep.
    if (form.method === 'HEAD') return false;
    const conditions = form.headers;
    const isUnchanged = (): boolean =>
      this.#stampOf(route, context, deps) === stamp && !bypassOf(context, deps);
    // The whole answer is asked for, to be kept; whether the client needs it is found out here.
    context.form = { ...form, headers: kept(form.headers, (name) => !name.startsWith('if-')) };
    context.filter = new Keeping({
      conditions,
      stale,
      entryBytes: this.#entryBytes,
      isUnchanged,
      allowance: (status, fields) =>
        isUnchanged() ? allowanceOf(status, fields, route.ttlMs) : undefined,
      keep: (allowance, answer) => {
        const made = entryOf(answer, allowance, route, now, stamp);
        this.#entries.keep(context, allowance.vary, made);
        mark(context, `${forwarded}; stored`);
        return made;
      },
      note: (result, told) => this.#note(context, result, told),
    });
    return false;
  }

  /**
   * A write of this route, or of a capability: what was read before counts no more, and what is read
   * meanwhile is not kept.
   * @returns resolves when the other workers know of it; undefined where there is none to be told
   */
  #watchWrite(route: CachedRoute | undefined, context: RequestContext): Promise<void> | undefined {
    const { match } = context;
    // A path's GET and its POST may be of two rules.
    const read = route ?? this.#routes.find('GET', context.form.path);
    const changes = match.kind === 'write' ? match.changes : [];
    if (!read && changes.length === 0) return undefined;
    const changed = (): void => {
      if (read) this.#writes.to(read.path).changes += 1;
      for (const { name } of changes) this.#writes.to(name).changes += 1;
    };
    changed();
    // Before its client can know of it, and once more when it ends without an answer.
    context.filter = new Watching(changed);
    // Who writes to a replicated capability, workers tell each other in any case.
    const isTold = context.form.customer !== undefined;
    const untold = changes.filter(({ replicated }) => !(isTold && replicated));
    const topics = [...(read ? [read.path] : []), ...untold.map(({ name }) => name)].map(
      (what): Changed => ({ name: topicOf(what), replicated: true }),
    );
    const told = topics.length === 0 ? undefined : this.#peers.begin(topics, '');
    context.res.once('close', () => {
      changed();
      if (told) this.#peers.end(topics, '');
    });
    return told;
  }

  #isWrittenElsewhere({ path }: CachedRoute, { match }: RequestContext): boolean {
    const { capability } = match;
    if (this.#writes.to(path).areUnderWay) return true;
    return capability !== undefined && this.#writes.to(capability.name).areUnderWay;
  }

  /** What another worker's writes of that name count for. */
  notedIn(name: string): Noted | undefined {
    return this.#writes.named(name);
  }

  /** All that changes when an answer may have become wrong. */
  #stampOf(route: CachedRoute, { match }: RequestContext, deps: FacadeDeps): string {
    const { capability } = match;
    const { changes: toRoute } = this.#writes.to(route.path);
    if (!capability) return `${toRoute}`;
    const { changes: written } = this.#writes.to(capability.name);
    const { changes } = deps.ownWrites.of(capability);
    const { owner } = deps.ownershipCache.ofDefault(capability);
    const moved = deps.ownershipCache.digest(capability);
    return `${toRoute} ${written} ${changes} ${owner} ${moved}`;
  }

  /** Counts what came of a request, and says so in its answer (RFC 9211). */
  #note(context: RequestContext, result: string, told: string): void {
    this.#counted.set(result, (this.#counted.get(result) ?? 0) + 1);
    mark(context, told);
  }
}

/** Whether it asks for the whole of an answer that may be kept. */
function isCommon({ headers, bodyBytes }: RequestForm, asks: ReadonlyMap<string, string>): boolean {
  return bodyBytes === 0 && !asks.has('no-store') && headerOf({ headers }, 'range') === undefined;
}

/** Whether its client takes an answer of that age, such as not when a page is loaded anew. */
function isYoungEnough({ madeAt }: Entry, asks: ReadonlyMap<string, string>, now: number): boolean {
  const oldest = asks.get('max-age');
  if (asks.has('no-cache')) return false;
  return oldest === undefined || now - madeAt <= Number(oldest) * 1_000;
}

/** Sets the one `Cache-Status` of an answer. */
function mark(context: RequestContext, told: string): void {
  const added = (context.added ??= []);
  const at = added.indexOf('cache-status');
  if (at === -1) added.push('cache-status', `fig; ${told}`);
  else added[at + 1] = `fig; ${told}`;
}

interface KeepingOptions {
  /** The headers of the request as its client has sent them. */
  readonly conditions: readonly string[];
  /** What is given where the upstream fails. */
  readonly stale: Entry | undefined;
  readonly entryBytes: number;
  allowance(status: number, fields: readonly string[]): Allowance | undefined;
  isUnchanged(): boolean;
  keep(allowance: Allowance, answer: WholeAnswer): Entry;
  note(result: string, told: string): void;
}

/** Keeps an answer on its way to the client; where it is a failure, gives the one before instead. */
class Keeping implements AnswerFilter {
  readonly #options: KeepingOptions;

  constructor(options: KeepingOptions) {
    this.#options = options;
  }

  takes(status: number, fields: readonly string[]): number {
    const { stale, allowance, entryBytes } = this.#options;
    if (status >= SERVER_ERRORS && stale) return ERROR_BYTES;
    if (!allowance(status, fields)) return 0;
    const length = Number(headerOf({ headers: fields }, 'content-length') ?? 0);
    return length <= entryBytes ? entryBytes : 0;
  }

  pass(answer: WholeAnswer): WholeAnswer {
    const { status, fields } = answer;
    const { conditions, allowance, keep } = this.#options;
    if (status >= SERVER_ERRORS) return this.#instead(status) ?? answer;
    const allowed = allowance(status, fields);
    if (!allowed) return answer;
    return withTransfer(answerOf(keep(allowed, answer), conditions));
  }

  overflow(): void {}

  insteadOf(status: number): WholeAnswer | undefined {
    return status >= SERVER_ERRORS ? this.#instead(status) : undefined;
  }

  #instead(status: number): WholeAnswer | undefined {
    const { stale, isUnchanged, conditions, note } = this.#options;
    const now = performance.now();
    if (!stale || now >= stale.staleUntil || !isUnchanged()) return undefined;
    const ttl = secondsTo(stale.freshUntil, now);
    note('stale', `fwd=stale; fwd-status=${status}; ttl=${ttl}; detail=stale_if_error`);
    return withTransfer(answerOf(stale, conditions));
  }
}

/** Learns that a write is answered before its client does. */
class Watching implements AnswerFilter {
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  takes(): number {
    this.#changed();
    return 0;
  }

  pass(answer: WholeAnswer): WholeAnswer {
    return answer;
  }

  overflow(): void {}
}

function entryOf(
  { fields, body }: WholeAnswer,
  { ttlMs, isPublic, mayBeStale }: Allowance,
  { staleIfErrorMs }: CachedRoute,
  askedAt: number,
  stamp: string,
): Entry {
  const madeAt = askedAt - Number(headerOf({ headers: fields }, 'age') ?? 0) * 1_000;
  const freshUntil = askedAt + ttlMs;
  const given = headerOf({ headers: fields }, 'etag');
  const etag = given ?? `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`;
  const lasting = kept(fields, (name) => !OF_ONE_TRANSFER.test(name));
  return {
    fields: given === undefined ? [...lasting, 'etag', etag] : lasting,
    body,
    etag,
    madeAt,
    freshUntil,
    staleUntil: mayBeStale ? freshUntil + staleIfErrorMs : freshUntil,
    isPublic,
    stamp,
  };
}

/** The answer to a client: 304 where it has this one already (RFC 9110 13.1.2). */
function answerOf({ fields, body, etag, madeAt }: Entry, asked: readonly string[]): WholeAnswer {
  const age = ['age', String(Math.max(0, Math.floor((performance.now() - madeAt) / 1_000)))];
  const wanted = headerOf({ headers: asked }, 'if-none-match');
  if (wanted !== undefined && isNamed(etag, wanted)) {
    const told = kept(fields, (name) => OF_THE_CONTENT.test(name));
    return { status: 304, fields: [...told, ...age], body: Buffer.alloc(0) };
  }
  return { status: 200, fields: [...fields, ...age], body };
}

/** By the weak comparison. */
function isNamed(etag: string, wanted: string): boolean {
  const plain = (tag: string): string => tag.trim().replace(/^W\//, '');
  return wanted.trim() === '*' || wanted.split(',').some((tag) => plain(tag) === plain(etag));
}

function withTransfer({ status, fields, body }: WholeAnswer): WholeAnswer {
  const length = status === 304 ? [] : ['content-length', String(body.length)];
  return { status, fields: [...fields, ...length, 'via', '1.1 fig'], body };
}

/** Less than none once it has passed. */
function secondsTo(then: number, now: number): number {
  return Math.floor((then - now) / 1_000);
}
