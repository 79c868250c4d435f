import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a contestant forwards to. */
export const upstreamUrl = process.env['UPSTREAM_URL'] ?? '';

/** Listens on a free port, and tells whoever started this program. */
export function serve(server: Server): void {
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    process.send?.({ type: 'listening', ports: { http: port } });
  });
  process.once('disconnect', () => process.exit());
}
