import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { get } from './ask.ts';
import type { Case } from './case.ts';
import type { Target } from './target.ts';

const GIGABYTE = 1 << 30;
const PIECE = randomBytes(1 << 20);

/** Peak of resident memory in MB, since the process began. */
async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1_024;
}

/** Resolves when more may be written, or nothing ever will. */
function writableAgain(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

/** What may be in flight is in buffers of sockets and streams, not a share of the whole. */
const MOST_MB = 300;

function bounded(megabytes: number): string {
  return megabytes <= MOST_MB ? 'bounded memory' : `${Math.round(megabytes)} MB`;
}

/** What is larger than memory should be. */
export const largeCases: readonly Case[] = [
  {
    name: 'a download of 1 GB',
    must: 'bounded memory',
    ours: 'whole, bounded memory',
    async run({ port, pid, upstream }: Target) {
      upstream.reset();
      upstream.reply = (_request, socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${GIGABYTE}\r\n\r\n`);
        let left = GIGABYTE;
        const more = (): void => {
          while (left > 0 && socket.writable) {
            left -= PIECE.length;
            if (!socket.write(PIECE)) break;
          }
        };
        socket.on('drain', more);
        more();
      };
      const socket = connect(port, '127.0.0.1');
      let bytes = 0;
      socket.on('data', (chunk) => (bytes += chunk.length));
      socket.write(get('/large', 'Connection: close'));
      await once(socket, 'close');
      return `${bytes > GIGABYTE ? 'whole' : 'cut'}, ${bounded(await peakMemory(pid))}`;
    },
  },
  {
    name: 'an upload of 1 GB',
    must: 'bounded memory',
    ours: 'whole, bounded memory',
    async run({ port, pid, upstream }: Target) {
      upstream.reset();
      let bytes = 0;
      const sent = createHash('sha1').update(PIECE).digest('hex');
      let first = Buffer.alloc(0);
      upstream.takeOver = (socket, head) => {
        const begin = head.indexOf('\r\n\r\n') + 4;
        const take = (chunk: Buffer): void => {
          bytes += chunk.length;
          if (first.length < PIECE.length) first = Buffer.concat([first, chunk]);
          if (bytes === GIGABYTE) {
            socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
          }
        };
        socket.on('data', take);
        take(head.subarray(begin));
      };
      const socket = connect(port, '127.0.0.1');
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString('latin1')));
      socket.write(
        `PUT /large HTTP/1.1\r\nHost: fig\r\nContent-Length: ${GIGABYTE}\r\nConnection: close\r\n\r\n`,
      );
      for (let left = GIGABYTE; left > 0 && socket.writable; left -= PIECE.length) {
        if (!socket.write(PIECE)) await writableAgain(socket);
      }
      if (!socket.closed) await once(socket, 'close');
      upstream.reset();
      const same =
        createHash('sha1').update(first.subarray(0, PIECE.length)).digest('hex') === sent;
      if (!text.includes(' 200 ')) return /^HTTP\/1.1 (\d+)/.exec(text)?.[1] ?? 'cut';
      return `${same ? 'whole' : 'garbled'}, ${bounded(await peakMemory(pid))}`;
    },
  },
].map((each) => ({ group: 'Streaming', oursOnly: true, ...each }));
