import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { RequestContext } from '../../forward/index.ts';
import { headerOf } from '../../upstream/index.ts';

/** An answer that is kept. Times are in ms, by `performance.now()`. */
export interface Entry {
  /** Without those that say something of one transfer alone. */
  readonly fields: readonly string[];
  readonly body: Buffer;
  readonly etag: string;
  /** When the upstream made it. */
  readonly madeAt: number;
  readonly freshUntil: number;
  readonly staleUntil: number;
  readonly isPublic: boolean;
  /** What it was read under; it counts only while that is the same. */
  readonly stamp: string;
}

/** Of an entry, beside body and headers: its key, and what the process itself takes for it. */
const OVERHEAD_BYTES = 600;
const MOST_RESOURCES = 20_000;

/** The answers that are kept, the least recently used dropped first; bounded by their bytes. */
export class Entries {
  readonly #entries: LRUCache<string, Entry>;
  /** By resource: the request headers that its answers depend on, as they have said last. */
  readonly #vary = new LRUCache<string, readonly string[]>({ max: MOST_RESOURCES });

  constructor(maxBytes: number) {
    this.#entries = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ body, fields }, key) =>
        OVERHEAD_BYTES + body.length + key.length + fields.join('').length,
    });
  }

  /** An answer that this caller may be given, fresh or not. */
  find(context: RequestContext): Entry | undefined {
    const resource = resourceOf(context);
    const vary = this.#vary.get(resource);
    if (!vary) return undefined;
    const key = variantOf(resource, vary, context);
    const shared = this.#entries.get(key);
    const credentials = credentialsOf(context);
    if (shared && (shared.isPublic || credentials === undefined)) return shared;
    return credentials === undefined ? undefined : this.#entries.get(`${key}\n${credentials}`);
  }

  keep(context: RequestContext, vary: readonly string[], entry: Entry): void {
    const resource = resourceOf(context);
    this.#vary.set(resource, vary);
    const key = variantOf(resource, vary, context);
    const credentials = entry.isPublic ? undefined : credentialsOf(context);
    this.#entries.set(credentials === undefined ? key : `${key}\n${credentials}`, entry);
  }

  get bytes(): number {
    return this.#entries.calculatedSize;
  }
}

/** Links in an answer may name the host that was asked. */
function resourceOf({ form }: RequestContext): string {
  const { target, version = '', headers } = form;
  const host = headerOf({ headers }, 'x-forwarded-host') ?? '';
  const proto = headerOf({ headers }, 'x-forwarded-proto') ?? '';
  return `${version} ${proto}://${host}${target}`;
}

function variantOf(resource: string, vary: readonly string[], { form }: RequestContext): string {
  if (vary.length === 0) return resource;
  return `${resource}\n${JSON.stringify(vary.map((name) => headerOf(form, name) ?? null))}`;
}

/** A digest of all that says who asks; undefined for a request that says nothing of it. */
function credentialsOf({ form, identity }: RequestContext): string | undefined {
  const said = [
    headerOf(form, 'authorization'),
    headerOf(form, 'cookie'),
    identity?.subject,
    form.customer,
    ...Object.values(form.keys ?? {}),
  ];
  if (said.every((each) => each === undefined)) return undefined;
  return createHash('sha256')
    .update(JSON.stringify(said.map((each) => each ?? null)))
    .digest('base64');
}
