/** What is behind every contestant where there is no nginx; says its name. */
import { createServer } from 'node:http';
import { serve } from './serve.ts';

const name = process.env['UPSTREAM_NAME'] ?? 'upstream';
const body = process.env['UPSTREAM_BODY'] ?? name;
const head = {
  'content-type': 'application/json',
  'content-length': Buffer.byteLength(body),
  'x-from': name,
};

serve(
  createServer((req, res) => {
    req.resume();
    res.writeHead(200, head);
    res.end(body);
  }),
);
