/** Express and http-proxy-middleware, with connections to the upstream kept open. */
import { Agent, createServer } from 'node:http';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { serve, upstreamUrl } from './serve.ts';

const app = express();
app.use(
  '/api',
  createProxyMiddleware({
    target: `${upstreamUrl}/api`,
    changeOrigin: true,
    agent: new Agent({ keepAlive: true }),
  }),
);
serve(createServer(app));
