import { relative } from 'node:path';
import { isAuthOn } from '../chassis/index.ts';
import type { System } from '../supervisor/index.ts';

/** What `npm start` says when everything is up: where to look, and what to try. */
export function readyText({ urls, dataDir, env }: System): string {
  const facade = urls['facade'] ?? '';
  const admin = urls['admin'];
  return [
    'Fig is ready.',
    '',
    `  the facade    ${facade}`,
    `  try           curl ${facade}/api/products`,
    ...(admin === undefined
      ? []
      : [`  the console   ${admin}/console/     bin/fig open lets a browser in`]),
    '  state         bin/fig status',
    '  a rehearsal   npm run rehearse     moves inventory out under live orders, apart from this',
    `  the data      ${short(dataDir)}`,
    isAuthOn(env)
      ? '  callers       need a token         bin/fig token --customer CORK'
      : '  callers       anyone on this machine; FIG_AUTH=on asks for tokens',
    '',
    '  Ctrl-C stops everything; `npm run reset` then clears the data.',
    '',
  ].join('\n');
}

/** A folder below this one goes by its relative path. */
function short(path: string): string {
  const below = relative(process.cwd(), path);
  return below === '' || below.startsWith('..') ? path : below;
}
