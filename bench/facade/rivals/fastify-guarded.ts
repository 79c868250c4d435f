/** Fastify with the plugins that its own documentation names for tokens and limits. */
import proxy from '@fastify/http-proxy';
import jwt from '@fastify/jwt';
import limit from '@fastify/rate-limit';
import Fastify from 'fastify';
import { serve, upstreamUrl } from './serve.ts';

const { PUBLIC_KEY = '', ISSUER = '', AUDIENCE = '' } = process.env;

const server = Fastify();
await server.register(limit, { max: 1_000_000_000, timeWindow: 1_000 });
await server.register(jwt, {
  secret: { public: PUBLIC_KEY },
  verify: { algorithms: ['ES256'], allowedIss: ISSUER, allowedAud: AUDIENCE, cache: true },
});
await server.register(proxy, {
  upstream: upstreamUrl,
  preHandler(request, _reply, done) {
    request.jwtVerify((error) => done(error ?? undefined));
  },
});
await server.ready();
serve(server.server);
