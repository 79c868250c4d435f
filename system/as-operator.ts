import { tokenFile, tokenIn } from '../chassis/index.ts';
import type { Environment } from '../chassis/index.ts';

/** Headers by which the engine and the admin port of a system know an operator. */
export function asOperator({ env }: { readonly env: Environment }): Record<string, string> {
  return { ...tokenIn(tokenFile(env)).headers() };
}
