import type { Environment } from '../env.ts';

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
];

/** Whether spans are exported, or why not although the environment asks for it. */
export type TelemetrySettings =
  { readonly on: true } | { readonly on: false; readonly trouble?: string };

/**
 * Reads OpenTelemetry's own variables. Without an endpoint nothing is exported. What can't be exported as it is asked
 * for is trouble to tell operators: a process that serves does not stop for its traces.
 */
export function telemetrySettings(env: Environment): TelemetrySettings {
  const of = (name: string): string => (env[name] ?? '').trim().toLowerCase();
  const endpoint =
    env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || env['OTEL_EXPORTER_OTLP_ENDPOINT'] || '';
  const exporter = of('OTEL_TRACES_EXPORTER');
  const isWanted = endpoint !== '' || exporter === 'otlp';
  if (of('OTEL_SDK_DISABLED') === 'true' || exporter === 'none' || !isWanted) return { on: false };
  const trouble = troubleOf(endpoint, exporter, of);
  return trouble === undefined ? { on: true } : { on: false, trouble };
}

function troubleOf(
  endpoint: string,
  exporter: string,
  of: (name: string) => string,
): string | undefined {
  const protocol =
    of('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') || of('OTEL_EXPORTER_OTLP_PROTOCOL') || 'http/json';
  const sampler = of('OTEL_TRACES_SAMPLER') || 'parentbased_always_on';
  const ratio = of('OTEL_TRACES_SAMPLER_ARG');
  if (exporter !== '' && exporter !== 'otlp') {
    return `OTEL_TRACES_EXPORTER=${exporter}: only otlp and none are known`;
  }
  if (endpoint !== '' && !(/^https?:/i.test(endpoint) && URL.canParse(endpoint))) {
    return 'the endpoint of OTEL_EXPORTER_OTLP_ENDPOINT is no http or https URL';
  }
  if (protocol !== 'http/json' && protocol !== 'http/protobuf') {
    return `OTEL_EXPORTER_OTLP_PROTOCOL=${protocol}: spans are sent over HTTP; give the collector's HTTP port and http/json`;
  }
  if (!SAMPLERS.includes(sampler)) {
    return `OTEL_TRACES_SAMPLER=${sampler}: give one of ${SAMPLERS.join(', ')}`;
  }
  if (
    sampler.endsWith('traceidratio') &&
    !(ratio !== '' && Number(ratio) >= 0 && Number(ratio) <= 1)
  ) {
    return `OTEL_TRACES_SAMPLER_ARG=${ratio}: give a share from 0 to 1, such as 0.01`;
  }
  return undefined;
}
