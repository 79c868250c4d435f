import express from 'express';
import type { Express } from 'express';
import { request } from 'undici';
import { serve } from '../../contract-check/index.ts';
import type { MakeTarget } from '../../contract-check/index.ts';

/** An answer on its way to the client. */
export interface Passing {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}

/** Something that went wrong while a service was being written. */
export interface Fault {
  readonly name: string;
  /** Changes the answer, where it applies. */
  damage(answer: Passing, path: string): void;
}

const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'transfer-encoding', 'content-length']);

/** An app that passes everything on to a server, and damages its answers. */
export function damagingProxy(baseUrl: string, damage: Fault['damage']): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use(express.raw({ type: () => true, limit: '5mb' }));
  app.use(async (req, res) => {
    const headers = Object.entries(req.headers).filter(([name]) => !HOP_BY_HOP.has(name));
    const answer = await request(`${baseUrl}${req.originalUrl}`, {
      method: req.method as 'GET',
      headers: Object.fromEntries(headers) as Record<string, string>,
      body: Buffer.isBuffer(req.body) ? req.body : null,
    });
    const passing: Passing = {
      status: answer.statusCode,
      headers: Object.fromEntries(
        Object.entries(answer.headers).filter(([name]) => !HOP_BY_HOP.has(name)),
      ) as Record<string, string>,
      body: await answer.body.json(),
    };
    damage(passing, req.path);
    res
      .status(passing.status)
      .set(passing.headers)
      .send(Buffer.from(JSON.stringify(passing.body)));
  });
  return app;
}

/** The same target with a fault between it and its clients. */
export function faulty(make: MakeTarget, fault: Fault): MakeTarget {
  return async (resources) => {
    const target = await make(resources);
    const baseUrl = await serve(resources, damagingProxy(target.baseUrl, fault.damage));
    return { ...target, name: `${target.name} with ${fault.name}`, baseUrl };
  };
}
