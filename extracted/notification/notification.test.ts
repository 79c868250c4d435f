import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SMTPServer } from 'smtp-server';
import { createLog } from '../../chassis/index.ts';
import type { Database } from '../../chassis/index.ts';
import { notificationMigrations } from '../../migrations/notification/index.ts';
import { dialectsOfRun, eventually, temporaryDatabase } from '../../tests/support/index.ts';
import { openMailer } from './index.ts';
import type { Mailer } from './mailer.ts';
import { addMessage, countMessages, refusedMessages } from './messages.ts';
import { startOutgoing } from './outgoing.ts';

const refusal = (responseCode: number, text: string) =>
  Object.assign(new Error(text), { responseCode });
const log = createLog('notification', 'silent');

describe.each(dialectsOfRun)('messages to customers on %s', (dialect) => {
  let database: Database;
  /** What the mail server has taken, and what it answers to the next attempts. */
  let taken: string[];
  let answers: Error[];
  let stop: (() => Promise<void>) | undefined;

  let mailer: Mailer;
  let server: SMTPServer;

  function serve(): SMTPServer {
    return new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onRcptTo: (_address, _session, answer) => answer(answers.shift()),
      onData: (stream, _session, answer) => {
        const pieces: Buffer[] = [];
        stream.on('data', (piece: Buffer) => pieces.push(piece));
        stream.on('end', () => {
          taken.push(/^Message-ID: <(.*)@/m.exec(Buffer.concat(pieces).toString())?.[1] ?? '');
          answer();
        });
      },
    });
  }

  beforeEach(async () => {
    [taken, answers] = [[], []];
    server = serve();
    const listening = once(server.server, 'listening');
    server.listen(0, '127.0.0.1');
    await listening;
    const { port } = server.server.address() as { port: number };
    mailer = (await openMailer({
      SMTP_URL: `smtp://127.0.0.1:${port}`,
      SMTP_FROM: 'shop@shop.example',
      SMTP_TO: '{customer}@customers.example',
    })) as Mailer;
    database = await temporaryDatabase(notificationMigrations, dialect);
  });
  afterEach(async () => {
    await stop?.();
    stop = undefined;
    await new Promise<void>((resolve) => server.close(resolve));
    await database.close();
  });

  const start = (): void => {
    const retry = { firstMs: 20, longestMs: 50 };
    stop = startOutgoing({ database, mailer, log, pollMs: 10, retry });
  };
  const add = (id: string, state: 'recorded' | 'waiting' = 'waiting') =>
    database.transaction((trx) =>
      addMessage(trx, { id, orderId: 'o', customerId: 'ALICE', template: 'Shipped' }, state),
    );
  const states = async () =>
    Object.fromEntries(
      (await countMessages(database.read)).map(({ state, count }) => [state, count]),
    );

  it('are sent once by several processes, and those that are only recorded never', async () => {
    for (const id of ['1', '2', '3']) await add(id);
    await add('4', 'recorded');
    start();
    const other = startOutgoing({ database, mailer, log, pollMs: 10 });
    await eventually(async () => expect(await states()).toEqual({ sent: 3, recorded: 1 }));
    await other();
    expect(taken.toSorted()).toEqual(['1', '2', '3']);
  });

  it('are sent again until the mail server takes them', async () => {
    answers = [refusal(421, 'away'), refusal(450, 'busy')];
    await add('1');
    start();
    await eventually(async () => expect(await states()).toEqual({ sent: 1 }));
    expect(taken).toEqual(['1']);
  });

  it('are dead letters when they are refused for good', async () => {
    answers = [refusal(550, 'no such mailbox'), refusal(550, 'still none')];
    await add('1');
    start();
    const letters = refusedMessages(database);
    await eventually(async () => expect(await letters.count()).toBe(1));
    expect(await letters.list(5)).toMatchObject([
      {
        id: '1',
        what: 'Shipped of order o',
        reason: expect.stringContaining('no such mailbox'),
        attempts: 1,
      },
    ]);
    expect(await letters.retry('1')).toBe(true);
    await eventually(async () =>
      expect(await letters.find('1')).toMatchObject({
        reason: expect.stringContaining('still none'),
      }),
    );
    expect(await letters.drop('1')).toBe(true);
    expect([await letters.drop('1'), await letters.retry('1')]).toEqual([false, false]);
    expect([await states(), taken]).toEqual([{ recorded: 1 }, []]);
  });
});

describe('the settings of the mail server', () => {
  it.each([
    [{ SMTP_URL: 'mail.example' }, /SMTP_URL is no address/],
    [{ SMTP_URL: 'http://mail.example' }, /SMTP_URL is no address/],
    [{ SMTP_URL: 'smtp://mail.example' }, /SMTP_FROM/],
    [{ SMTP_URL: 'smtp://mail.example', SMTP_FROM: 'a@b.example' }, /SMTP_TO/],
    [
      { SMTP_URL: 'smtp://u:secret@mail.example', SMTP_FROM: 'a@b.example', SMTP_TO: 'x' },
      /SMTP_TO/,
    ],
  ])('are refused where they make no sense: %j', async (env, message) => {
    const opened = openMailer(env);
    await expect(opened).rejects.toThrow(message);
    await expect(opened).rejects.not.toThrow(/secret/);
  });

  it('are shown without the password', async () => {
    const mailer = await openMailer({
      SMTP_URL: 'smtp://user:secret@mail.example:25',
      SMTP_FROM: 'a@b.example',
      SMTP_TO: '{customer}@c.example',
    });
    expect(mailer?.server).toBe('mail.example:25');
    mailer?.close();
    expect(await openMailer({})).toBeUndefined();
  });
});
