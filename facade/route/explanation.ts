import { METHODS } from 'node:http';
import { Problem } from '../../chassis/index.ts';
import type { SideName } from '../../strangler/routing/index.ts';
import { checkReadings, decide, firstMoving, whyNotComparable } from './decision.ts';
import type { Decision, Question } from './decision.ts';
import { factsOf } from './explained-facts.ts';
import type { CapabilityFacts } from './explained-facts.ts';
import { notesOn, whyHeld, whyPassed, whyRead, whyWritten } from './explained-reasons.ts';
import type { Destination, ExplanationInputs } from './explanation-inputs.ts';
import { allowedMethod, canonicalTarget } from '../request/index.ts';

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
  readonly kind: Decision['kind'] | null;
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

/** Explains a decision without carrying it out. Pure, as the decision is. */
export function explain(asked: Asked, world: ExplanationInputs): Explanation {
  const path = canonicalPathOf(asked);
  if (path instanceof Problem) return refusal(asked, path);
  const { method, customer } = asked;
  const question: Question = { method, customer, keys: keysOf(asked, world), path, draw: '0' };
  const doubt = doubtIn(() => checkReadings(question, world.snapshot));
  if (doubt) return refusal(asked, doubt);
  const decision = decide(question, world.snapshot);
  const { routes } = world.snapshot;
  const common = {
    ...nothing(asked),
    path,
    route: routes.patternOf(asked.method, path) ?? null,
    kind: decision.kind,
    capability: decision.capability?.name ?? null,
    notes: notesOn(decision, question, world),
  };
  if (decision.kind === 'pass') {
    return {
      ...common,
      upstream: shown(world.monolith),
      reason: 'monolith',
      why: whyPassed(world),
    };
  }
  return decision.kind === 'read'
    ? { ...common, ...explainRead(decision, question, world) }
    : { ...common, ...explainWrite(decision, question, world) };
}

function explainRead(
  decision: Extract<Decision, { kind: 'read' }>,
  question: Question,
  world: ExplanationInputs,
): Partial<Explanation> & Pick<Explanation, 'why'> {
  const { capability, side } = decision;
  const { reason, why } = whyRead(decision, question, world);
  const isDrawn = reason === 'drawn';
  const { snapshot } = world;
  const compared = whyNotComparable(question, capability, snapshot) === undefined;
  const share = compared ? world.flags.rule(capability.flags.shadow).share : 0;
  const other = world.upstreamOf(capability, side === 'legacy' ? 'extracted' : 'legacy');
  return {
    side: isDrawn ? null : side,
    upstream: isDrawn ? null : shown(world.upstreamOf(capability, side)),
    reason,
    why,
    shadow: share > 0 ? { ...shown(other), share } : null,
    facts: [factsOf(capability, question, world)],
  };
}

function explainWrite(
  decision: Extract<Decision, { kind: 'write' }>,
  question: Question,
  world: ExplanationInputs,
): Partial<Explanation> & Pick<Explanation, 'why'> {
  const { capability, side, changes } = decision;
  const moving = firstMoving(changes, question, world.snapshot);
  const upstream = capability ? world.upstreamOf(capability, side) : world.monolith;
  return {
    changes: changes.map(({ name }) => name),
    side,
    upstream: shown(upstream),
    ...whyWritten(decision, question, world),
    held: moving ? { capability: moving.name, why: whyHeld(moving) } : null,
    facts: changes.map((each) => factsOf(each, question, world)),
  };
}

function keysOf({ key }: Asked, { snapshot }: ExplanationInputs): Question['keys'] {
  if (key === undefined) return undefined;
  const headers = snapshot.routes.capabilities.flatMap(({ cohorts }) => cohorts?.header ?? []);
  return Object.fromEntries(headers.map((header) => [header, key]));
}

function canonicalPathOf({ method, path }: Asked): string | Problem {
  let canonical = '';
  const refused = doubtIn(() => {
    allowedMethod(method);
    if (!METHODS.includes(method)) {
      throw new Problem(400, 'malformed_request', `${method} is no method that servers know`);
    }
    canonical = canonicalTarget(path).path;
  });
  return refused ?? canonical;
}

/** Why a check refuses, if it does. */
function doubtIn(check: () => void): Problem | undefined {
  try {
    check();
    return undefined;
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
