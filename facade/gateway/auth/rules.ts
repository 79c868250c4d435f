import type { AuthConfig, AuthRule } from '../../../routing/index.ts';
import { RouteTable } from '../../match/index.ts';
import type { Identity, RequestForm } from '../../request/index.ts';
import { insufficientScope, unauthenticated } from './refusals.ts';

/** Of a request that no rule fits: a token, and nothing more. */
const ANY_TOKEN: AuthRule = { path: '/*', scopes: [], roles: [] };

/** What callers may do, by route. */
export class Rules {
  readonly #tables = new Map<string, RouteTable<AuthRule>>();

  constructor({ rules }: Pick<AuthConfig, 'rules'>) {
    for (const method of ['GET', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      const table = new RouteTable<AuthRule>();
      for (const rule of rules) {
        if (rule.methods === undefined || rule.methods.some((named) => asGet(named) === method)) {
          table.add(rule.path, rule);
        }
      }
      this.#tables.set(method, table);
    }
  }

  /** @throws Problem 401 without a token that is needed, 403 for a caller who may not */
  check(
    { method, path }: Pick<RequestForm, 'method' | 'path'>,
    { subject, scopes, roles }: Identity,
  ): void {
    const rule = this.#tables.get(asGet(method))?.match(path) ?? ANY_TOKEN;
    if (rule.anyone) return;
    if (subject === undefined) throw unauthenticated();
    const hasScopes = rule.scopes.every((scope) => scopes.includes(scope));
    const hasRole = rule.roles.length === 0 || rule.roles.some((role) => roles.includes(role));
    if (!hasScopes || !hasRole) throw insufficientScope(rule.scopes, rule.roles);
  }
}

function asGet(method: string): string {
  return method === 'HEAD' ? 'GET' : method;
}
