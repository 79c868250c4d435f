import type { FigConfig } from '../../routing/index.ts';

const PARAMETERS = /;[^/]*/g;
/** A segment of parameters alone leaves two slashes, which servers take for one, as the canonical form does. */
const SLASHES = /\/{2,}/g;

/** How the monolith reads a path before it looks for a route: some servers cut path parameters off. */
export function pathReader({
  stripsParameters,
  monolith,
}: Pick<FigConfig, 'stripsParameters' | 'monolith'>): (path: string) => string {
  if (!stripsParameters.includes(monolith)) return (path) => path;
  return (path) => (path.includes(';') ? path.replace(PARAMETERS, '').replace(SLASHES, '/') : path);
}
