import { hostname, userInfo } from 'node:os';
import type { IncomingHttpHeaders } from 'node:http';
import type { Environment } from '../env.ts';

/** Who gives an order, why, and in which action; as headers of a request that carries the operators' token. */
export interface Operator {
  readonly who: string;
  readonly reason: string | null;
  /** The action that an order belongs to. */
  readonly action: string;
}

const WHO = 'fig-operator';
const REASON = 'fig-reason';
const ACTION = 'fig-action';
const FROM = 'fig-from';
const MOST_CHARACTERS = 500;

/** Who runs this process: FIG_OPERATOR, or the user and the machine. */
export function operatorOf(env: Environment): string {
  return env['FIG_OPERATOR'] || `${userName(env)}@${hostname()}`;
}

function userName(env: Environment): string {
  try {
    return userInfo().username;
  } catch {
    // A user of a container may have no name.
    return env['USER'] || `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** @param from the address of whom an order is passed on */
export function operatorHeaders(
  { who, reason, action }: Operator,
  from?: string,
): Record<string, string> {
  return {
    [WHO]: encodeURIComponent(who),
    [ACTION]: action,
    ...(reason !== null && { [REASON]: encodeURIComponent(reason) }),
    ...(from !== undefined && { [FROM]: encodeURIComponent(from) }),
  };
}

/** What the headers of an order say; undefined for what they don't. */
export function operatorIn(
  headers: IncomingHttpHeaders,
): Partial<Operator & { readonly from: string }> {
  const of = (name: string): string | undefined => decoded(headers[name]);
  const action = of(ACTION);
  const who = of(WHO);
  const from = of(FROM);
  return {
    ...(who !== undefined && { who }),
    reason: of(REASON) ?? null,
    ...(action !== undefined && /^[\w-]{8,64}$/.test(action) && { action }),
    ...(from !== undefined && { from }),
  };
}

/** Without what would move a terminal's cursor. */
function decoded(value: string | string[] | undefined): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  try {
    return decodeURIComponent(value)
      .replaceAll(/\p{Cc}/gu, ' ')
      .slice(0, MOST_CHARACTERS);
  } catch {
    return undefined;
  }
}
