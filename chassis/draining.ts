import type { Server, ServerResponse } from 'node:http';

let draining = false;
const listeners: (() => void)[] = [];

/** Whether this process is about to stop: it still answers, and says on `/readyz` that it is not ready. */
export function isDraining(): boolean {
  return draining;
}

/** From now on this process is about to stop. */
export function startDraining(): void {
  draining = true;
  for (const listener of listeners) listener();
}

/** Calls `listener` once this process is about to stop. */
export function onDraining(listener: () => void): void {
  listeners.push(listener);
}

/** Has a server end its connections, each after the next answer, while this process is about to stop. */
export function letConnectionsGo(server: Server): void {
  server.prependListener('request', (_req, res: ServerResponse) => {
    if (draining) res.shouldKeepAlive = false;
  });
}
