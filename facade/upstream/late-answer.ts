import type { Socket } from 'node:net';

/** How long an answer is waited for on a connection that takes nothing more. */
const WAIT_MS = 1_000;

/**
 * Reads on when writing fails. A server that refuses an upload answers, and closes with the rest of
 * the upload unread: what is written then fails, while the answer waits to be read. Node gives up
 * on both directions at once.
 * @param isAwaited whether an answer is still to come
 */
export function readOnAfterWriteErrors(socket: Socket, isAwaited: () => boolean): void {
  const destroy = socket.destroy.bind(socket);
  const { _readableState: reading } = socket as unknown as { _readableState: Reading };
  socket.destroy = (error) => {
    if (!isWriteError(error) || !isAwaited()) return destroy(error);
    // A stream that has failed says no more of what can be read.
    reading.errored = null;
    const giveUp = setTimeout(() => destroy(error), WAIT_MS);
    socket.once('close', () => clearTimeout(giveUp));
    return socket;
  };
}

interface Reading {
  errored: Error | null;
}

function isWriteError(error: Error | undefined): boolean {
  const { syscall, code } = (error ?? {}) as NodeJS.ErrnoException;
  return syscall === 'write' && (code === 'EPIPE' || code === 'ECONNRESET');
}
