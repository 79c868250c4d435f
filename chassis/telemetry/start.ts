import type { Environment } from '../env.ts';
import type { Logger } from '../log.ts';
import { telemetrySettings } from './settings.ts';

/**
 * Starts to export spans where the environment says whither. OpenTelemetry's SDK is loaded only then.
 * @param name the process
 * @returns stops it, after what is recorded has been sent
 */
export async function startTelemetry(
  name: string,
  env: Environment,
  log: Logger,
): Promise<() => Promise<void>> {
  const settings = telemetrySettings(env);
  if (!settings.on) {
    if (settings.trouble !== undefined) log.warn(`no traces are exported: ${settings.trouble}`);
    return () => Promise.resolve();
  }
  const { exportSpans } = await import('./export-spans.ts');
  return exportSpans(name, log);
}
