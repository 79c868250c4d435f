/** http-proxy-middleware without Express, with connections to the upstream kept open. */
import { Agent, createServer } from 'node:http';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { serve, upstreamUrl } from './serve.ts';

const proxy = createProxyMiddleware({
  target: upstreamUrl,
  changeOrigin: true,
  agent: new Agent({ keepAlive: true }),
});
serve(createServer((req, res) => void proxy(req, res)));
