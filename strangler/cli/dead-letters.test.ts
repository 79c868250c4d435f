import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { Express } from 'express';
import { createExpressServer, createLog, listen, LOOPBACK_ONLY } from '../../chassis/index.ts';
import { createHttpApp } from '../../chassis/web/index.ts';
import type {
  DeadLetterSource,
  Listening,
  OpenedDeadLetter,
  ServerSettings,
} from '../../chassis/index.ts';
import { CA_FILE, eventually, withHttps, withTempDir } from '../../tests/support/index.ts';
import { withEngine } from '../../tests/strangler/support/engine.ts';
import { figFor, terminal } from '../../tests/strangler/support/fig.ts';
import type { Fig } from '../../tests/strangler/support/fig.ts';
import { withSides } from '../../tests/strangler/support/sides.ts';
import type { Sides } from '../../tests/strangler/support/sides.ts';

const TIME = '2026-01-01 00:00:00.000';

/** An application's dead letters of one kind, with what was decided about them. */
class Letters implements DeadLetterSource {
  readonly letters = new Map<string, OpenedDeadLetter>();
  readonly decided: string[] = [];

  add(id: string, what: string, reason: string): void {
    const details = { about: id };
    this.letters.set(id, { id, what, reason, attempts: 5, since: Date.now(), details });
  }

  async list(limit: number): Promise<readonly OpenedDeadLetter[]> {
    return [...this.letters.values()].slice(0, limit);
  }

  async count(): Promise<number> {
    return this.letters.size;
  }

  async find(id: string): Promise<OpenedDeadLetter | undefined> {
    return this.letters.get(id);
  }

  retry = (id: string): Promise<boolean> => this.#decide('retry', id);
  drop = (id: string): Promise<boolean> => this.#decide('drop', id);

  async #decide(decision: string, id: string): Promise<boolean> {
    if (!this.letters.delete(id)) return false;
    this.decided.push(`${decision} ${id}`);
    return true;
  }
}

let event: Letters;
let step: Letters;
let application: Listening;
let url: string;
let app: Express;

beforeEach(async () => {
  [event, step] = [new Letters(), new Letters()];
  app = createHttpApp({
    name: 'application',
    log: createLog('application', 'silent'),
    access: LOOPBACK_ONLY,
    routes: [],
    deadLetters: { event, step },
  });
  const at = { host: '127.0.0.1', port: 0, variable: 'PORT' };
  application = await listen(createExpressServer(app), at);
  url = `http://127.0.0.1:${application.port}`;
});

afterEach(() => application.close());

function withLetters(
  use: (fig: Fig, sides: Sides) => Promise<void>,
  server: string | ServerSettings = url,
): Promise<void> {
  return withSides((sides) =>
    withEngine(sides, {}, async (running) => {
      await eventually(async () =>
        expect((await running.status()).standing).toMatchObject({ as: 'leader' }),
      );
      await use(await figFor(sides, running.url, 'shop', [], server), sides);
    }),
  );
}

const next = (command: string): unknown => expect.stringContaining(`\nnext: ${command}\n`);

describe('fig dead-letters', () => {
  it('retries all of a kind, also more than an application lists at once', () =>
    withLetters(async (fig) => {
      for (let id = 0; id < 1_003; id += 1) step.add(`buy:${id}`, 'buy: pay', 'answered 422');
      expect(await fig('dead-letters retry --kind step')).toMatchObject({
        code: 0,
        stdout: '1,003 steps will be tried again\n',
      });
      expect(step.letters.size).toBe(0);
    }));

  it('lists, shows, retries and drops what an application has given up', () =>
    withLetters(async (fig) => {
      expect(await fig('dead-letters')).toMatchObject({
        code: 0,
        stdout: 'there are no dead letters\n',
      });
      expect((await fig('status')).stdout).not.toContain('dead letters');
      event.add('mail:1', 'mail: Sold', 'no such address');
      step.add('buy:2', 'buy: pay', 'pay was answered 422');
      step.add('buy:3', 'buy: pay', 'pay was answered 422');
      expect(await fig('dead-letters')).toMatchObject({
        code: 0,
        stdout:
          'event  old  mail:1  mail: Sold  just now  no such address\n' +
          'step   old  buy:2   buy: pay    just now  pay was answered 422\n' +
          'step   old  buy:3   buy: pay    just now  pay was answered 422\n' +
          'once the cause is gone: fig dead-letters retry --kind event mail:1\n',
      });
      expect(JSON.parse((await fig('dead-letters list --kind event --json')).stdout)).toMatchObject(
        {
          deadLetters: [{ kind: 'event', upstream: 'old', id: 'mail:1', attempts: 5 }],
          more: 0,
          unasked: [],
          next_steps: [{ command: 'fig dead-letters show --kind event mail:1' }],
        },
      );
      expect(await fig('status')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining(
          '\ndead letters of old: 1 event, 2 steps; next: fig dead-letters list\n',
        ),
      });
      expect(await fig('doctor')).toMatchObject({
        code: 3,
        stdout: expect.stringContaining('dead_letters: dead letters of old: 1 event, 2 steps'),
        stderr: next('fig dead-letters list'),
      });
      expect((await fig('dead-letters show --kind step buy:2')).stdout).toBe(
        'buy:2  buy: pay  tried 5 times: pay was answered 422\n  {\n    "about": "buy:2"\n  }\n',
      );
      expect(await fig('dead-letters retry --kind step')).toMatchObject({
        code: 0,
        stdout: '2 steps will be tried again\n',
      });
      expect(step.decided).toEqual(['retry buy:2', 'retry buy:3']);
      const drop = 'dead-letters drop --kind event mail:1';
      expect(await fig(drop, {}, terminal('n'))).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('Drop mail: Sold (mail:1)?'),
      });
      expect(await fig(drop, { FIG_YES: '' })).toMatchObject({
        code: 2,
        stderr: next(`fig ${drop} --yes`),
      });
      expect(event.decided).toEqual([]);
      expect(await fig(`${drop} --yes`)).toMatchObject({ code: 0, stdout: 'mail: Sold dropped\n' });
      expect(event.decided).toEqual(['drop mail:1']);
      expect(await fig(`${drop} --yes`)).toMatchObject({
        code: 2,
        stderr: next('fig dead-letters list --kind event'),
      });
    }));

  it('names changes by their capability, as fig parked does', () =>
    withLetters(async (fig, sides) => {
      await fig('backfill shop');
      sides.legacy.exec(`INSERT INTO PAY VALUES ('p1', '7', 'S', '${TIME}', '${TIME}')`);
      const line = /^change +shop +1 +payments \["p1"\] .+AMT: '7'/;
      await eventually(async () => expect((await fig('dead-letters')).stdout).toMatch(line));
      expect((await fig('dead-letters list shop')).stdout).toMatch(line);
      const [letters, parked] = ['dead-letters show --kind change shop 1', 'parked show shop 1'];
      expect((await fig(letters)).stdout).toBe((await fig(parked)).stdout);
      expect(await fig('dead-letters retry --kind change shop')).toMatchObject({
        code: 1,
        stdout: expect.stringContaining('0 aggregates of 1 applied'),
      });
      expect(await fig('dead-letters drop --kind change shop 1 --yes')).toMatchObject({ code: 0 });
      expect((await fig('status')).stdout).toContain('both sides have to be compared as a whole');
      for (const wrong of ['show --kind change 1', 'show --kind change', 'list shop --kind step']) {
        expect([wrong, (await fig(`dead-letters ${wrong}`)).code]).toEqual([wrong, 2]);
      }
      expect(await fig('dead-letters retry')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('--kind'),
      });
    }));

  it('asks an application at a unix socket', () =>
    withTempDir(async (folder) => {
      const socket = join(folder, 'app.sock');
      const server = createServer(app).listen(socket);
      await once(server, 'listening');
      try {
        await withLetters(retriesOne, { url: 'http://localhost', socket });
      } finally {
        server.close();
      }
    }));

  it('asks an application with a certificate of an authority of its own', () =>
    withHttps(app, (at) => withLetters(retriesOne, { url: at, ca: CA_FILE })));

  async function retriesOne(fig: Fig): Promise<void> {
    step.add('buy:2', 'buy: pay', 'pay was answered 422');
    expect((await fig('status')).stdout).toContain('dead letters of old: 1 step');
    expect((await fig('dead-letters show --kind step buy:2')).stdout).toContain('answered 422');
    expect(await fig('dead-letters retry --kind step buy:2')).toMatchObject({ code: 0 });
    expect(step.decided).toEqual(['retry buy:2']);
  }

  it('says who could not be asked, and never takes that for none', () =>
    withLetters(async (fig) => {
      await application.close();
      const reason = `old (${url}): it does not answer`;
      expect(await fig('dead-letters')).toMatchObject({
        code: 1,
        stdout: `not known: ${reason}\n`,
        stderr: expect.stringContaining(reason),
      });
      for (const line of [
        'show --kind event mail:1',
        'retry --kind event',
        'retry --kind step 1',
      ]) {
        expect(await fig(`dead-letters ${line}`)).toMatchObject({
          code: 1,
          stderr: expect.stringContaining(reason),
        });
      }
      const unknown = `dead letters of old are not known: it does not answer (${url})`;
      expect((await fig('status')).stdout).toContain(`\n${unknown}; next: fig dead-letters list\n`);
      expect((await fig('doctor')).stdout).toContain(`dead_letters_unknown: ${unknown}`);
      const status = JSON.parse((await fig('status --json')).stdout) as object;
      expect(status).toMatchObject({
        deadLetters: [{ upstream: 'old', url, counts: null, problem: 'it does not answer' }],
      });
    }));
});
