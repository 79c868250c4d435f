/** Fastify and @fastify/http-proxy, as its README shows them. */
import proxy from '@fastify/http-proxy';
import Fastify from 'fastify';
import { serve, upstreamUrl } from './serve.ts';

const server = Fastify();
await server.register(proxy, { upstream: upstreamUrl });
await server.ready();
serve(server.server);
