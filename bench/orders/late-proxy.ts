import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** Stands before a server and passes on what clients send a while later; answers pass at once. */
export interface LateProxy {
  readonly port: number;
  close(): Promise<void>;
}

/** @param lateMs for how long each piece waits on its way to the server */
export async function startLateProxy(serverPort: number, lateMs: number): Promise<LateProxy> {
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ port: serverPort, host: '127.0.0.1', noDelay: true });
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => socket.destroy());
      socket.once('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    // Timers of one length fire in the order in which they were set.
    client.on('data', (piece) => setTimeout(() => upstream.write(piece), lateMs));
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
