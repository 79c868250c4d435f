import { parse } from 'yaml';
import { nounOf } from './propose.ts';

/**
 * The resources of an OpenAPI document, as the paths that they begin with, such as `/api/bookings`.
 * @param text JSON or YAML
 * @throws where it is no OpenAPI document
 */
export function routesIn(text: string): readonly string[] {
  const { paths, servers } = (parse(text) ?? {}) as {
    paths?: Record<string, unknown>;
    servers?: readonly { url?: string }[];
  };
  if (typeof paths !== 'object' || paths === null) {
    throw new Error('it has no paths, as an OpenAPI document has');
  }
  const base = basePath(servers?.[0]?.url ?? '');
  const found = Object.keys(paths).flatMap((path) => {
    const whole = `${base}${path}`;
    const noun = nounOf(whole);
    const parts = whole.split('/');
    const at = parts.findIndex((part) => part.replaceAll('-', '_').toLowerCase() === noun);
    return noun === '' || noun.startsWith('{') ? [] : [parts.slice(0, at + 1).join('/')];
  });
  return [...new Set(found)];
}

function basePath(url: string): string {
  const path = /^https?:/.test(url) ? new URL(url).pathname : url;
  return path.replace(/\/$/, '');
}
