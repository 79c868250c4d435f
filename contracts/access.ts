import { OPERATIONS } from './operations.ts';

/** What a gateway asks of the callers of one path. */
interface AccessRule {
  readonly path: string;
  readonly methods?: ('GET' | 'POST')[];
  readonly anyone?: true;
  readonly scopes?: string[];
  readonly roles?: string[];
}

/** The rules of every operation, and of what is no operation, for the configuration of a gateway. */
export function accessRules(): AccessRule[] {
  const rules = OPERATIONS.map(({ method, path, access }): AccessRule => {
    const route = { path: path.replaceAll(/\{(\w+)\}/g, ':$1'), methods: [method] };
    if (access === 'anyone') return { ...route, anyone: true };
    if (access === 'any token') return route;
    return { ...route, scopes: [...(access.scopes ?? [])], roles: [...(access.roles ?? [])] };
  });
  const open = [
    '/api/openapi.json',
    '/api/asyncapi.json',
    '/openapi.json',
    '/openapi/*',
    '/docs/*',
    '/livez',
    '/readyz',
  ].map((path): AccessRule => {
    return { path, methods: ['GET'], anyone: true };
  });
  return [...rules, ...open];
}
