import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { eventually, temporaryPostgresDatabase } from '../../../tests/support/index.ts';
import { PostgresConnection } from './connection.ts';

/**
 * Runs `work` with a way to a database on which one text of what is sent becomes another of the same
 * length: so the server refuses what it would take.
 */
async function withAltered(
  [text, instead]: readonly [string, string],
  work: (url: string) => Promise<void>,
): Promise<void> {
  const database = await temporaryPostgresDatabase();
  const { hostname, port } = new URL(database.url);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    near.on('data', (sent) =>
      far.write(Buffer.from(sent.toString('latin1').replace(text, instead), 'latin1')),
    );
    far.pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(database.url);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  try {
    await work(url.href);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
    await database.drop();
  }
}

describe('a connection of the engine to PostgreSQL', () => {
  it('is not used where its settings could not be set, and the error says which', () =>
    withAltered(["timezone = 'UTC'", "timezone = 'U?C'"], async (url) => {
      const connection = new PostgresConnection(url);
      try {
        await expect(connection.query('SELECT 1')).rejects.toMatchObject({
          name: 'UnreachableError',
          message: expect.stringMatching(
            /^the database postgres\S+ refuses the settings of a session: .*"TimeZone": "U\?C"$/,
          ),
        });
      } finally {
        await connection.close();
      }
    }));

  it('does not stay in a transaction whose settings could not be set', () =>
    withAltered(['lock_timeout = 777', 'lock_timeout = x77'], async (url) => {
      const connection = new PostgresConnection(url);
      try {
        const begun = connection.transaction(async () => 'done', { lockMs: 777 });
        await expect(begun).rejects.toThrow('lock_timeout');
        // The pool gives out the same connection again.
        const { rows } = await connection.query<{ n: number }>('SELECT 1 AS n');
        expect(rows).toEqual([{ n: 1 }]);
      } finally {
        await connection.close();
      }
    }));

  it('is not used again where a setting of one piece of work could not be taken back', () =>
    withAltered(['RESET lock_timeout', 'RESET lock_timeouX'], async (url) => {
      const connection = new PostgresConnection(url);
      try {
        await expect(connection.alone(777, async () => undefined)).rejects.toThrow('lock_timeoux');
        const { rows } = await connection.query('SHOW lock_timeout');
        expect(rows).toEqual([{ lock_timeout: '0' }]);
      } finally {
        await connection.close();
      }
    }));
});

/** Runs `work` with the address of a server that ends each connection at once, and counts them. */
async function withHangingUp(
  work: (url: string, attempts: readonly number[]) => Promise<void>,
): Promise<void> {
  const attempts: number[] = [];
  const server = createServer((socket) => {
    attempts.push(performance.now());
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await work(`postgres://fig@127.0.0.1:${(server.address() as AddressInfo).port}/fig`, attempts);
  } finally {
    server.close();
  }
}

describe('a connection that listens', () => {
  it('is made again after longer and longer pauses, and its loss is told once', () =>
    withHangingUp(async (url, attempts) => {
      const connection = new PostgresConnection(url);
      const told: (string | null)[] = [];
      const watch = connection.watch(
        'wake',
        () => undefined,
        (lost) => told.push(lost),
      );
      // As a pipeline asks for it, only more often.
      const asking = setInterval(() => watch.ensure(), 2);
      try {
        watch.ensure();
        await eventually(() => expect(attempts.length).toBeGreaterThanOrEqual(5));
        const [first = 0, , , , fifth = 0] = attempts;
        // 50, 100, 200 and 400 ms.
        expect(fifth - first).toBeGreaterThan(700);
        expect(told).toEqual([expect.stringMatching(/terminated|ECONNRESET|closed/i)]);
      } finally {
        clearInterval(asking);
        watch.close();
        await connection.close();
      }
    }));

  it('says when it is back, after the server has ended it', async () => {
    const database = await temporaryPostgresDatabase();
    const connection = new PostgresConnection(database.url);
    const told: (string | null)[] = [];
    let woken = 0;
    const watch = connection.watch(
      'wake',
      () => (woken += 1),
      (lost) => told.push(lost),
    );
    const asking = setInterval(() => watch.ensure(), 2);
    try {
      // It tells once when it begins to listen, and again after each loss.
      await eventually(() => expect(woken).toBe(1));
      expect(told).toEqual([]);
      await connection.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'fig engine listening'`);
      await eventually(() => expect(woken).toBe(2));
      expect(told).toEqual([expect.any(String), null]);
    } finally {
      clearInterval(asking);
      watch.close();
      await connection.close();
      await database.drop();
    }
  });
});
