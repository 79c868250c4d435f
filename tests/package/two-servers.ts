import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Two servers that know nothing of Fig; each says its name. @param use gets their addresses by name */
export async function withTwoServers<T>(
  use: (env: { readonly OLD_URL: string; readonly NEW_URL: string }) => Promise<T>,
): Promise<T> {
  const servers = ['old', 'new'].map((name) =>
    createServer((_request, response) => {
      response.setHeader('x-name', name);
      response.setHeader('content-type', 'application/json');
      response.end('["the same"]');
    }),
  );
  try {
    const [OLD_URL = '', NEW_URL = ''] = await Promise.all(
      servers.map(async (server) => {
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      }),
    );
    return await use({ OLD_URL, NEW_URL });
  } finally {
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
  }
}

/** In TypeScript as people write it, in a folder without `"type": "module"`. */
export const TYPESCRIPT = `import { defineConfig } from 'strangler-fig';
import type { FigConfigInput } from 'strangler-fig';
import { things } from './things';

const capabilities: FigConfigInput['capabilities'] = { things };
export default defineConfig({
  upstreams: { old: process.env['OLD_URL'] ?? '', new: process.env['NEW_URL'] ?? '' },
  monolith: 'old',
  capabilities,
});
`;
export const THINGS = `export const things = { legacy: 'old', extracted: 'new', routes: ['/things', '/things/*'] };
`;
export const YAML = `# yaml-language-server: $schema=./node_modules/strangler-fig/dist/fig.schema.json
upstreams: { old: '\${OLD_URL}', new: '\${NEW_URL}' }
monolith: old
capabilities:
  things: { legacy: old, extracted: new, routes: [/things, /things/*] }
`;
