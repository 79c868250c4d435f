import { METHODS } from 'node:http';
import { Problem } from '../../chassis/index.ts';
import { otherSide } from '../../routing/index.ts';
import type { SideName } from '../../routing/index.ts';
import type { Match, ReadMatch, Routes, WriteMatch } from '../match/index.ts';
import type { Asker, CanonicalVersions } from '../request/index.ts';
import { allowedMethod, canonicalTarget } from '../request/index.ts';
import { factsOf } from './explained-facts.ts';
import type { CapabilityFacts } from './explained-facts.ts';
import { notesOn, whyHeld, whyRead, whyWritten } from './explained-reasons.ts';
import type { Destination, Names } from './explained-reasons.ts';
import { route, whyNotComparable } from './route.ts';
import type { Route, RoutedRequest, RoutingSnapshot } from './route.ts';

/** Grows when a field changes its meaning or goes; new fields may come at any time. */
const SCHEMA_VERSION = 1;

/** A request that somebody may send. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly customer: string | undefined;
  /** Whom it is about, for capabilities that know it by another header than the customer's. */
  readonly key?: string | undefined;
}

/** Where such a request would go right now, and why. */
export interface Explanation {
  readonly schemaVersion: typeof SCHEMA_VERSION;
  readonly asked: {
    readonly method: string;
    readonly path: string;
    readonly customer: string | null;
  };
  /** What the client would be told at once, with nothing sent to anybody; null for a good request. */
  readonly refused: {
    readonly status: number;
    readonly code: string;
    readonly detail: string;
  } | null;
  /** The path in its canonical form; null, like what follows, when the request is refused. */
  readonly path: string | null;
  /** The pattern in the configuration that it matches. */
  readonly route: string | null;
  /** Whose route it is. */
  readonly capability: string | null;
  readonly kind: Match['kind'] | null;
  /** Of a write: all that it changes. */
  readonly changes: readonly string[];
  readonly side: SideName | null;
  /** Who is asked; null when each request is drawn anew. */
  readonly upstream: Destination | null;
  /** A word for programs, and the same for people. */
  readonly reason: string | null;
  readonly why: string;
  /** Of a write: what it would wait for. */
  readonly held: { readonly capability: string; readonly why: string } | null;
  /** Of a read: who is asked as well for comparison, and for how many requests of a hundred. */
  readonly shadow: (Destination & { readonly share: number }) | null;
  /** What is believed of each capability that matters here. */
  readonly facts: readonly CapabilityFacts[];
  /** What else is worth knowing. */
  readonly notes: readonly string[];
}

/** Explains a route without sending anything. Pure, as routing is. */
export function explain(asked: Asked, snapshot: RoutingSnapshot, names: Names): Explanation {
  const { method, customer } = asked;
  const { routes } = snapshot;
  const found = matched(asked, routes, names.versions);
  if (found instanceof Problem) return refusal(asked, found);
  const { path, match } = found;
  const request = { form: { method, customer, keys: keysOf(asked, routes), draw: '0' }, match };
  const chosen = route(request, snapshot);
  const common = {
    ...nothing(asked),
    path,
    route: routes.patternOf(method, path) ?? null,
    kind: match.kind,
    capability: match.capability?.name ?? null,
    notes: notesOn(chosen, request, snapshot),
  };
  if (match.kind === 'pass') {
    const upstream = names.upstreamFor(match, 'monolith');
    const why = match.service
      ? `the route is one of the service ${upstream.name}, which answers it`
      : `no capability has this route: ${upstream.name} answers it`;
    const reason = match.service ? 'service' : chosen.reason;
    return { ...common, upstream: shown(upstream), reason, why };
  }
  return match.kind === 'read'
    ? { ...common, ...explainRead(chosen, request, match, snapshot, names) }
    : { ...common, ...explainWrite(chosen, request, match, snapshot, names) };
}

type Explained = Partial<Explanation> & Pick<Explanation, 'why'>;

function explainRead(
  chosen: Route,
  request: RoutedRequest,
  match: ReadMatch,
  snapshot: RoutingSnapshot,
  names: Names,
): Explained {
  const { capability } = match;
  const { reason, why } = whyRead(chosen, request, match, names);
  const isDrawn = reason === 'drawn';
  const side = chosen.to === 'extracted' ? chosen.to : 'legacy';
  const isCompared =
    whyNotComparable(request.form, snapshot.ownership.of(capability, request.form)) === undefined;
  const share = isCompared ? names.flags.rule(capability.flags.shadow).share : 0;
  const other = names.upstreamOf(capability, otherSide(side));
  return {
    side: isDrawn ? null : side,
    upstream: isDrawn ? null : shown(names.upstreamOf(capability, side)),
    reason,
    why,
    shadow: share > 0 ? { ...shown(other), share } : null,
    facts: [factsOf(capability, request, snapshot, names.flags)],
  };
}

function explainWrite(
  chosen: Route,
  request: RoutedRequest,
  match: WriteMatch,
  snapshot: RoutingSnapshot,
  names: Names,
): Explained {
  const { capability, changes } = match;
  const { to, moving } = chosen;
  const isMonolith = to === 'monolith' || !capability;
  return {
    changes: changes.map(({ name }) => name),
    side: isMonolith ? 'legacy' : to,
    upstream: shown(isMonolith ? names.monolith : names.upstreamOf(capability, to)),
    ...whyWritten(chosen, match, names),
    held: moving ? { capability: moving.name, why: whyHeld(moving) } : null,
    facts: changes.map((each) => factsOf(each, request, snapshot, names.flags)),
  };
}

function keysOf({ key }: Asked, { capabilities }: Routes): Asker['keys'] {
  if (key === undefined) return undefined;
  const headers = capabilities.flatMap(({ cohorts }) => cohorts?.header ?? []);
  return Object.fromEntries(headers.map((header) => [header, key]));
}

/** The canonical path, and what the configuration says of it; a problem where it would be refused. */
function matched(
  { method, path: given }: Asked,
  routes: Routes,
  versions: CanonicalVersions | undefined,
): { readonly path: string; readonly match: Match } | Problem {
  try {
    allowedMethod(method);
    if (!METHODS.includes(method)) {
      throw new Problem(400, 'malformed_request', `${method} is no method that servers know`);
    }
    const target = canonicalTarget(given);
    const form = { method, path: target.path, target: target.path + target.query };
    const { path } = versions?.canonical(form) ?? form;
    return { path, match: routes.match(method, path) };
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

function refusal(asked: Asked, { status, code, message }: Problem): Explanation {
  const why = `the facade answers ${status} by itself and sends nothing on: ${message}`;
  return { ...nothing(asked), refused: { status, code, detail: message }, why };
}

function nothing({ method, path, customer }: Asked): Explanation {
  return {
    schemaVersion: SCHEMA_VERSION,
    asked: { method, path, customer: customer ?? null },
    refused: null,
    path: null,
    route: null,
    capability: null,
    kind: null,
    changes: [],
    side: null,
    upstream: null,
    reason: null,
    why: '',
    held: null,
    shadow: null,
    facts: [],
    notes: [],
  };
}

function shown({ name, url }: Destination): Destination {
  return { name, url };
}
