import type { Environment } from './env.ts';
import type { RegistrationOptions } from './redis/register-service.ts';

/**
 * Registers a service where FIG_REGISTER=on asks for it, see `registerService`. The client of Redis is
 * loaded only then.
 * @returns what takes the entry away, to be called before the process stops listening
 */
export async function registerWhereAsked(
  options: RegistrationOptions & { readonly env: Environment },
): Promise<() => Promise<void>> {
  if (options.env['FIG_REGISTER'] !== 'on') return () => Promise.resolve();
  const { registerService } = await import('./redis/register-service.ts');
  return registerService(options);
}
