/** Express and http-proxy-middleware, as its README shows them. */
import { createServer } from 'node:http';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { serve, upstreamUrl } from './serve.ts';

const app = express();
app.use('/api', createProxyMiddleware({ target: `${upstreamUrl}/api`, changeOrigin: true }));
serve(createServer(app));
