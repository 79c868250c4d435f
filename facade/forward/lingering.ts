import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** A client that sends nothing more for this long has stopped. */
const SILENCE_MS = 5_000;
/** How long what a client still sends is read in all. */
const LONGEST_MS = 60_000;
const LINGERING = Symbol('lingering');

interface Lingering extends Duplex {
  destroySoon?: () => void;
  readonly bytesRead?: number;
  [LINGERING]?: boolean;
}

/**
 * Ends the connection after an answer that came before its request was whole (RFC 9112 9.6). A client
 * that sends everything before it reads would never see the answer if nobody read on, and closing
 * with bytes unread makes the system discard what the client has not read yet.
 */
export function lingerAfter(req: IncomingMessage): void {
  const socket: Lingering = req.socket;
  // Node calls this when the answer has been written.
  socket.destroySoon = () => {
    req.resume();
    linger(socket);
  };
}

/** Whether nothing is read from it any more but to drop it. */
export function isLingering(socket: Lingering): boolean {
  return socket[LINGERING] === true;
}

/** Sends what is written and the end, and drops what still comes, for a while. */
export function linger(socket: Lingering): void {
  if (socket[LINGERING] || socket.destroyed) return;
  socket[LINGERING] = true;
  const until = performance.now() + LONGEST_MS;
  let before = socket.bytesRead;
  // Not by listening for data: node's parser reads it, and must not lose the connection's handle.
  const timer = setInterval(() => {
    if (socket.bytesRead === before || performance.now() > until) socket.destroy();
    before = socket.bytesRead;
  }, SILENCE_MS).unref();
  socket.on('error', () => socket.destroy());
  socket.once('close', () => clearInterval(timer));
  socket.end();
  socket.resume();
}
