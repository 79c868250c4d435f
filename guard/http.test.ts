import { describe, expect, it } from '@jest/globals';
import express from 'express';
import type { ErrorRequestHandler } from 'express';
import fastify from 'fastify';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from '../tests/support/index.ts';
import type { Answer } from '../tests/support/index.ts';
import { expressFenced, expressFences, fastifyGuard, FencedError } from './index.ts';
import type { NamedFence } from './index.ts';

const TOKEN = 'the-token-of-all-operators';
const FENCES: readonly NamedFence[] = [{ capability: 'notes', key: '*', state: 'ceded', epoch: 3 }];
const OPTIONS = { fences: () => FENCES, token: TOKEN };
const refuse = (): never => {
  throw new FencedError('notes', { state: 'ceded', epoch: 3 }, 'A');
};
const fail = (): never => {
  throw new Error('something else');
};

type Ask = (method: string, path: string, headers?: Record<string, string>) => Promise<Answer>;

async function withExpress(use: (ask: Ask) => Promise<void>): Promise<void> {
  const app = express();
  app.get('/fences', expressFences(OPTIONS));
  app.post('/notes', refuse).post('/others', fail);
  app.use(expressFenced());
  app.use(((_error, _req, res, _next) => {
    res.status(500).json({ mine: true });
  }) satisfies ErrorRequestHandler);
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await use(askAt(`http://127.0.0.1:${port}`)).finally(() => server.close());
}

async function withFastify(use: (ask: Ask) => Promise<void>): Promise<void> {
  const app = fastify();
  app.setErrorHandler((_error, _request, reply) => reply.code(500).send({ mine: true }));
  await app.register(async (inner) => {
    await inner.register(fastifyGuard, OPTIONS);
    inner.post('/notes', refuse);
    inner.post('/others', fail);
  });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  try {
    await use(askAt(url));
  } finally {
    await app.close();
  }
}

function askAt(url: string): Ask {
  return (method, path, headers = {}) => request(method, `${url}${path}`, { headers });
}

describe.each([
  ['express', withExpress],
  ['fastify', withFastify],
] as const)('a service on %s', (_name, withService) => {
  it('answers a refused write with 421 and the FENCED problem, and other errors by itself', () =>
    withService(async (ask) => {
      const { status, headers, body } = await ask('POST', '/notes');
      expect([status, headers['content-type']]).toEqual([
        421,
        expect.stringMatching(/^application\/problem\+json\b/),
      ]);
      expect(body).toEqual({
        type: 'urn:fig:problem:fenced',
        title: 'fenced',
        status: 421,
        code: 'fenced',
        detail: 'notes of "A" is ceded here at epoch 3; ask its owner',
        capability: 'notes',
        key: 'A',
        state: 'ceded',
        epoch: 3,
      });
      expect(await ask('POST', '/others')).toMatchObject({ status: 500, body: { mine: true } });
    }));

  it('lists its fences for the token, and for that which facades send', () =>
    withService(async (ask) => {
      const forFences = createHmac('sha256', TOKEN).update('fences').digest('base64url');
      for (const token of [TOKEN, forFences]) {
        const asked = await ask('GET', '/fences', { authorization: `Bearer ${token}` });
        expect(asked).toMatchObject({ status: 200, body: { fences: FENCES } });
      }
      const wrong = await ask('GET', '/fences', { authorization: 'Bearer other' });
      expect(wrong).toMatchObject({ status: 401, body: { code: 'token_required' } });
      expect(wrong.headers['www-authenticate']).toBe('Bearer');
    }));
});
