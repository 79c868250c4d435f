import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Something that is served as it is. */
export interface Asset {
  /** Headers, names and values in turn. */
  readonly fields: readonly string[];
  read(): Promise<Buffer>;
}

const require = createRequire(import.meta.url);
/** Nothing comes from elsewhere, nothing is sent elsewhere, and no script is in the page itself. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  // The one inline style of swagger-ui, by its hash.
  "style-src 'self' 'unsafe-hashes' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
const HTML = 'text/html; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';
/** Of swagger-ui-dist. */
const FILES: Readonly<Record<string, string>> = {
  'index.css': STYLE,
  'swagger-ui.css': STYLE,
  'swagger-ui-bundle.js': SCRIPT,
  'swagger-ui-standalone-preset.js': SCRIPT,
  'favicon-32x32.png': 'image/png',
};

/**
 * The files of the page, by their paths.
 * @param documents name and path of each document
 */
export function pageAssets(
  page: string,
  documents: readonly { readonly name: string; readonly url: string }[],
): ReadonlyMap<string, Asset> {
  const html = text(HTML, indexOf(page));
  return new Map<string, Asset>([
    [page, html],
    [`${page}/`, html],
    [`${page}/start.js`, text(SCRIPT, startOf(documents))],
    ...Object.entries(FILES).map(([name, type]): [string, Asset] => [
      `${page}/${name}`,
      { fields: fieldsOf(type), read: () => readFile(join(folder(), name)) },
    ]),
  ]);
}

/** Looked for when the page is asked for: a facade without it needs no such package. */
function folder(): string {
  return dirname(require.resolve('swagger-ui-dist/package.json'));
}

function text(type: string, content: string): Asset {
  return { fields: fieldsOf(type), read: () => Promise.resolve(Buffer.from(content)) };
}

function fieldsOf(type: string): readonly string[] {
  return ['content-type', type, 'content-security-policy', POLICY];
}

function indexOf(page: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Interface</title>
    <link rel="stylesheet" href="${page}/swagger-ui.css">
    <link rel="stylesheet" href="${page}/index.css">
    <link rel="icon" type="image/png" href="${page}/favicon-32x32.png">
  </head>
  <body>
    <div id="interface"></div>
    <script src="${page}/swagger-ui-bundle.js"></script>
    <script src="${page}/swagger-ui-standalone-preset.js"></script>
    <script src="${page}/start.js"></script>
  </body>
</html>
`;
}

/** Without a validator: its default sends the document to a server elsewhere. */
function startOf(documents: readonly { readonly name: string; readonly url: string }[]): string {
  return `SwaggerUIBundle({
  urls: ${JSON.stringify(documents)},
  dom_id: '#interface',
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  layout: 'StandaloneLayout',
  validatorUrl: null,
});
`;
}
