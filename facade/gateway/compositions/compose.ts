import { beginSpan, Problem, traceparentOf } from '../../../chassis/index.ts';
import { placesIn } from '../../../routing/index.ts';
import type { CompositionConfig } from '../../../routing/index.ts';
import { failInFacade, forward, RequestContext } from '../../forward/index.ts';
import type { FacadeDeps } from '../../forward/index.ts';
import { canonicalTarget } from '../../request/index.ts';
import type { Identity, RequestForm } from '../../request/index.ts';
import { capturedResponse, ownRequest } from './captured-answer.ts';
import type { Captured } from './captured-answer.ts';
import { pick, selectionIn } from './selection.ts';
import type { Selection } from './selection.ts';

/** What came of a part. */
interface PartResult {
  readonly status: number;
  /** JSON as its server has written it: numbers keep their digits. */
  readonly text: string;
  readonly value: unknown;
}

/** Headers of the whole that mean nothing to a part, or would make it something else. */
const OF_THE_WHOLE =
  /^(if-.*|range|accept|accept-encoding|content-.*|idempotency-key|x-fig-attempt|traceparent)$/i;

const TIMED_OUT = failed(504, 'upstream_timeout', 'this part took longer than all parts may');
const CUT_OFF = failed(502, 'upstream_unavailable', 'the answer broke off, or is too large');
const NOT_JSON = failed(502, 'upstream_unavailable', 'the answer is no JSON');
const NOTHING_NAMED = failed(404, 'not_found', 'the part that should name it names none');

/**
 * Asks for all parts of a composition at once, those that another one completes right after it, each on
 * the way of a request of its own. Parts that fail, or are late, are named; a required one fails the whole.
 */
export function compose(
  context: RequestContext,
  deps: FacadeDeps,
  composition: CompositionConfig,
  system: Identity | undefined,
): void {
  answer(context, deps, composition, system).catch((error: unknown) => {
    if (error instanceof Problem) context.refuse(error);
    else failInFacade(context, deps, error);
  });
}

async function answer(
  context: RequestContext,
  deps: FacadeDeps,
  composition: CompositionConfig,
  system: Identity | undefined,
): Promise<void> {
  const { form } = context;
  const { parts, deadlineMs, path } = composition;
  const selection = selectionIn(form.target.slice(form.path.length), Object.keys(parts));
  const named = parametersIn(path, form.path);
  const asking = new Set<RequestContext>();
  const results = new Map<string, Promise<PartResult>>();

  const partOf = (name: string): Promise<PartResult> => {
    const known = results.get(name);
    if (known) return known;
    const result = ask(name);
    results.set(name, result);
    return result;
  };
  const ask = async (name: string): Promise<PartResult> => {
    const part = parts[name] as CompositionConfig['parts'][string];
    let target = part.path;
    for (const { text, name: from, field } of placesIn(part.path)) {
      const value =
        field === undefined ? named.get(from) : fieldOf((await partOf(from)).value, field);
      if (value === undefined) return NOTHING_NAMED;
      target = target.replace(text, encodeURIComponent(value));
    }
    const identity = part.asSystem ? system : context.identity;
    try {
      const captured = await askPart(partForm(form, target), identity, context, deps, asking);
      return resultOf(captured);
    } catch (error) {
      // The facade refuses some paths, such as one with an encoded slash that servers read in two ways.
      if (error instanceof Problem) return failed(error.status, error.code, error.message);
      throw error;
    }
  };

  const wanted = Object.entries(parts)
    .filter(([name, { required }]) => required || (selection.include?.has(name) ?? true))
    .map(([name]) => name);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), deadlineMs);
  context.underWay = { cancel: () => late.abort() };
  const inTime = async (name: string): Promise<readonly [string, PartResult]> => {
    const result = await Promise.race([
      partOf(name),
      new Promise<PartResult>((resolve) => {
        if (late.signal.aborted) resolve(TIMED_OUT);
        late.signal.addEventListener('abort', () => resolve(TIMED_OUT), { once: true });
      }),
    ]);
    return [name, result];
  };
  try {
    const found = await Promise.all(wanted.map((name) => inTime(name)));
    context.underWay = undefined;
    if (!context.over) send(context, composition, new Map(found), selection);
  } finally {
    clearTimeout(timer);
    for (const part of asking) part.gone();
  }
}

/** Takes one part the way of any request. @returns undefined where its answer broke off */
function askPart(
  form: RequestForm,
  identity: Identity | undefined,
  whole: RequestContext,
  deps: FacadeDeps,
  asking: Set<RequestContext>,
): Promise<Captured | undefined> {
  return new Promise((resolve) => {
    const match = deps.routes.match(form.method, form.path);
    const res = capturedResponse((captured) => {
      asking.delete(part);
      resolve(captured);
    });
    const part = new RequestContext(ownRequest(), res, form, match, deps);
    part.identity = identity;
    asking.add(part);
    if (whole.over) part.gone();
    else forward(part, deps);
  });
}

function partForm(whole: RequestForm, target: string): RequestForm {
  const { path, query } = canonicalTarget(target);
  const headers: string[] = [];
  for (let index = 0; index < whole.headers.length; index += 2) {
    const name = whole.headers[index] as string;
    if (!OF_THE_WHOLE.test(name)) headers.push(name, whole.headers[index + 1] as string);
  }
  const { span } = whole.trace;
  const trace = span ? beginSpan({ name: 'part', kind: 'internal' }, whole.trace) : whole.trace;
  headers.push('accept', 'application/json', 'traceparent', traceparentOf(trace));
  return {
    ...whole,
    method: 'GET',
    path,
    target: path + query,
    headers,
    idempotencyKey: undefined,
    trace,
    bodyBytes: 0,
    timed: false,
  };
}

function resultOf(captured: Captured | undefined): PartResult {
  if (captured === undefined) return CUT_OFF;
  const text = captured.body.toString('utf8');
  try {
    return { status: captured.status, text, value: JSON.parse(text) as unknown };
  } catch {
    return NOT_JSON;
  }
}

function send(
  context: RequestContext,
  { parts, path }: CompositionConfig,
  found: ReadonlyMap<string, PartResult>,
  { fields }: Selection,
): void {
  for (const [name, result] of found) {
    if (parts[name]?.required && result.status >= 300) throw missing(path, name, result);
  }
  const isPartial = [...found.values()].some(({ status }) => status >= 300);
  const told = [...found].map(([name, { status, text, value }]) => {
    const paths = fields.get(name);
    const shown = status < 300 && paths ? JSON.stringify(pick(value, paths)) : text;
    return `${JSON.stringify(name)}:{"status":${status},"${status < 300 ? 'body' : 'problem'}":${shown}}`;
  });
  const body = Buffer.from(`{"partial":${isPartial},"parts":{${told.join(',')}}}`);
  const type = ['content-type', 'application/json; charset=utf-8'];
  context.reply(200, [...type, 'cache-control', 'no-store'], body);
}

/** What a required part refuses is refused as a whole; where it does not answer, that is a bad gateway. */
function missing(path: string, part: string, { status, value }: PartResult): Problem {
  const { code = 'upstream_unavailable', detail = '' } = (value ?? {}) as {
    code?: string;
    detail?: string;
  };
  if (status >= 400 && status < 500)
    return new Problem(status, code, detail, { members: { part } });
  return new Problem(
    502,
    'composition_failed',
    `${path} can't be answered without the part ${part}, which gave ${status} ${code}`,
    { members: { part } },
  );
}

/** The values of a pattern's `:names` in a path, decoded. */
function parametersIn(pattern: string, path: string): ReadonlyMap<string, string> {
  const segments = path.split('/');
  return new Map(
    pattern
      .split('/')
      .flatMap((segment, index) =>
        segment.startsWith(':')
          ? [[segment.slice(1), decodeURIComponent(segments[index] ?? '')] as const]
          : [],
      ),
  );
}

/** A text or number at a path of names and positions such as `items.0.id`. */
function fieldOf(value: unknown, path: string): string | undefined {
  let found = value;
  for (const name of path.split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name))
      return undefined;
    found = (found as Record<string, unknown>)[name];
  }
  return typeof found === 'string' || typeof found === 'number' ? String(found) : undefined;
}

function failed(status: number, code: string, detail: string): PartResult {
  const value = { type: `urn:fig:problem:${code}`, status, code, detail };
  return { status, text: JSON.stringify(value), value };
}
