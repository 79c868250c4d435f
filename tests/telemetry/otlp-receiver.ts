import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { listen } from '../../chassis/index.ts';

/** A span as a collector was sent it. */
export interface ReceivedSpan {
  /** The process that recorded it. */
  readonly service: string;
  /** Which run of the process. */
  readonly instance: string;
  readonly name: string;
  readonly kind: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly startMs: number;
  readonly failed: boolean;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { readonly name: string; readonly attributes: unknown }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

export interface OtlpReceiver {
  readonly url: string;
  readonly spans: readonly ReceivedSpan[];
  /** All that was sent, as it came. */
  readonly text: () => string;
  of(traceId: string): readonly ReceivedSpan[];
  close(): Promise<void>;
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly events: readonly { readonly name: string; readonly attributes: readonly Attribute[] }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status: { readonly code: number };
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

/** Numbers of the protocol, from 1 on. */
const KINDS = ['', 'internal', 'server', 'client', 'producer', 'consumer'];
const FAILED = 2;

function plain(attributes: readonly Attribute[]): Record<string, unknown> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, Object.values(value)[0]] as const),
  );
}

/** A collector that takes OTLP over HTTP as JSON, on a free port. */
export async function openReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const texts: string[] = [];
  const take = async (req: IncomingMessage): Promise<void> => {
    const body = await json(req);
    texts.push(JSON.stringify(body));
    for (const { resource, scopeSpans } of (body as Export).resourceSpans) {
      const of = plain(resource.attributes);
      const service = String(of['service.name']);
      const instance = String(of['service.instance.id']);
      for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
        spans.push({
          service,
          instance,
          ...span,
          kind: KINDS[span.kind] ?? String(span.kind),
          parentSpanId: span.parentSpanId,
          startMs: Number(BigInt(span.startTimeUnixNano) / 1_000n) / 1_000,
          failed: span.status.code === FAILED,
          attributes: plain(span.attributes),
          events: span.events.map(({ name, attributes }) => {
            return { name, attributes: plain(attributes) };
          }),
        });
      }
    }
  };
  const server = createServer((req, res) => {
    take(req).then(
      () => res.setHeader('content-type', 'application/json').end('{}'),
      (error: unknown) => res.destroy(error as Error),
    );
  });
  const { port, close } = await listen(server, { port: 0, host: '127.0.0.1', variable: 'PORT' });
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    text: () => texts.join('\n'),
    of: (traceId) => spans.filter((span) => span.traceId === traceId),
    close,
  };
}

/** A trace as a tree, a line a span: what, which process, when it began after the first one. */
export function treeOf(spans: readonly ReceivedSpan[]): string {
  const byStart = spans.toSorted((a, b) => a.startMs - b.startMs);
  const first = byStart[0]?.startMs ?? 0;
  const known = new Set(spans.map(({ spanId }) => spanId));
  const below = (parent: string | undefined, depth: number): string[] =>
    byStart
      .filter(({ parentSpanId }) =>
        parent === undefined ? !known.has(parentSpanId ?? '') : parentSpanId === parent,
      )
      .flatMap((span) => {
        const { name, kind, service, startMs, events, failed, spanId } = span;
        const told = events.map((event) => ` (${event.name})`).join('');
        const line = `${'  '.repeat(depth)}${name}${failed ? ' FAILED' : ''}${told}`;
        const at = `+${(startMs - first).toFixed(1)} ms`;
        return [
          `${line.padEnd(64)} ${service.padEnd(10)} ${kind.padEnd(9)} ${at}`,
          ...below(spanId, depth + 1),
        ];
      });
  return below(undefined, 0).join('\n');
}
