/** httpxy as its README shows it; it keeps connections to the upstream open by itself. */
import { createServer } from 'node:http';
import { createProxyServer } from 'httpxy';
import { serve, upstreamUrl } from './serve.ts';

const proxy = createProxyServer({});
serve(
  createServer((req, res) => {
    proxy.web(req, res, { target: upstreamUrl }).catch((error: unknown) => {
      console.error(error);
      res.statusCode = 500;
      res.end(`Proxy error: ${String(error)}`);
    });
  }),
);
