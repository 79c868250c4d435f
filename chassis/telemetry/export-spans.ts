import { diag, DiagLogLevel, ROOT_CONTEXT, SpanKind, trace, TraceFlags } from '@opentelemetry/api';
import type { SpanContext } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { Logger } from '../log.ts';
import { recordBy } from '../trace.ts';
import type { SpanStart, Trace, TraceParent } from '../trace.ts';
import { within } from '../within.ts';

/** How long a process that stops waits for its last spans to be taken. */
const LAST_SPANS_MS = 2_000;

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

/**
 * Records spans and sends them by OTLP over HTTP, as JSON. Endpoint, headers, sampler, batches and limits are those of
 * OpenTelemetry's variables, which its SDK reads.
 * @param name the process, unless OTEL_SERVICE_NAME names it
 * @returns stops it, after what is recorded has been sent
 */
export function exportSpans(name: string, log: Logger): () => Promise<void> {
  // A collector that is away makes a line a batch; the log says the same thing five times in ten seconds.
  const tell = (message: string): void =>
    log.warn({ telemetry: message }, 'spans were not exported');
  const mute = (): void => undefined;
  diag.setLogger(
    { error: tell, warn: tell, info: mute, debug: mute, verbose: mute },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const provider = new BasicTracerProvider({
    resource: defaultResource()
      .merge(
        resourceFromAttributes({
          'service.name': name,
          'service.namespace': 'fig',
          'service.instance.id': `${name}-${process.pid}`,
        }),
      )
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const tracer = provider.getTracer('fig');

  recordBy(({ name: spanName, kind, attributes = {}, links = [] }: SpanStart, parent): Trace => {
    const options = {
      kind: KINDS[kind],
      attributes,
      links: links.map((linked) => ({ context: spanContextOf(linked) })),
    };
    const span = tracer.startSpan(spanName, options, contextOf(parent));
    const { traceId, spanId, traceFlags } = span.spanContext();
    const sampled = (traceFlags & TraceFlags.SAMPLED) !== 0;
    return { traceId, spanId, sampled, span: span.isRecording() ? span : undefined };
  });
  return async () => {
    recordBy(undefined);
    await within(LAST_SPANS_MS, provider.shutdown());
  };
}

function contextOf(parent: TraceParent | undefined) {
  return parent ? trace.setSpanContext(ROOT_CONTEXT, spanContextOf(parent)) : ROOT_CONTEXT;
}

function spanContextOf({ traceId, spanId, sampled }: TraceParent): SpanContext {
  const traceFlags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return { traceId, spanId, traceFlags, isRemote: true };
}
