import type { Environment } from '../chassis/index.ts';

/**
 * This environment without the variables that point at a system: what starts with it is a system
 * of its own, whatever the caller's shell is set up for.
 */
export function withoutSystem(env: Environment): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => !name.startsWith('FIG_') && !SYSTEM_VARIABLE.test(name) && name !== 'HOST',
    ),
  );
}

const SYSTEM_VARIABLE =
  /^((FACADE|ADMIN|MONOLITH|INVENTORY|PAYMENT|NOTIFICATION|ORDER_VIEW|ENGINE|PROVIDER)_(PORT|URL|DATABASE_URL)|REDIS_URL|UNLEASH_\w+|SMTP_\w+)$/;
