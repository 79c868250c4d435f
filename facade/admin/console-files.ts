import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { RequestHandler } from 'express';
import { Problem } from '../../chassis/index.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};
/** Nothing but our own files, no inline script or style, and no frame around it. */
export const CONTENT_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** What a page of ours is sent with. */
export const PAGE_HEADERS = {
  'content-security-policy': CONTENT_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
} as const;

interface File {
  readonly type: string;
  readonly body: Buffer;
  readonly packed: Buffer;
}

/** What `npm run build` has made of `console/`, by path below it. */
export function readConsole(): ReadonlyMap<string, File> {
  const folder = join(packageRoot(), 'dist', 'console');
  if (!existsSync(folder)) return new Map();
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return new Map(
    paths.flatMap((path) => {
      const type = TYPES[extname(path)];
      if (type === undefined) return [];
      const body = readFileSync(join(folder, path));
      return [[path, { type, body, packed: gzipSync(body) }]];
    }),
  );
}

/** The folder of package.json, also from `dist/`. */
function packageRoot(folder = import.meta.dirname): string {
  const above = dirname(folder);
  if (existsSync(join(folder, 'package.json')) || above === folder) return folder;
  return packageRoot(above);
}

/** Serves the console: its files by name, and its page for the address of each view. */
export function consoleFiles(): RequestHandler {
  let files: ReadonlyMap<string, File> | undefined;
  return (req, res, next) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      next();
      return;
    }
    files ??= readConsole();
    const name = req.path.slice(1);
    const isAsset = name.startsWith('assets/');
    const file = files.get(isAsset ? name : 'index.html');
    if (file === undefined) {
      const detail = isAsset
        ? `there is no ${name}; load the page again`
        : 'the console was not built: npm run build';
      throw new Problem(404, 'no_such_route', detail);
    }
    const packed = req.acceptsEncodings('gzip') === 'gzip';
    res.set({ ...PAGE_HEADERS, 'content-type': file.type, vary: 'accept-encoding' });
    // Names of assets change with what they hold.
    if (isAsset) res.set('cache-control', 'private, max-age=31536000, immutable');
    if (packed) res.set('content-encoding', 'gzip');
    res.end(packed ? file.packed : file.body);
  };
}

/** What a browser without a session is shown. */
export const SIGN_IN_PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Fig</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"></head>
<body><h1>This console is for operators</h1>
<p>Open it with <code>fig open</code>: it prints a link that lets this browser in for twelve hours.</p>
</body></html>
`;
