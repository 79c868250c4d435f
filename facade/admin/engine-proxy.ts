import { Router } from 'express';
import { CallFailed, Problem, START_COMMAND } from '../../chassis/index.ts';
import type { HttpClient } from '../../chassis/index.ts';

/** What the console asks the engine for, below `/engine`. */
const READS = ['/status', '/handovers', '/comparisons', '/parked'];
/** What an operator may have the engine do. */
const ACTIONS = [
  '/backfills',
  '/shares',
  '/reconciles',
  '/handovers',
  '/completions',
  '/aborts',
  '/removals',
  '/changes',
];
const READ_MS = 6_000;
/** As long as the slowest command of `fig` waits. */
const ACTION_MS = 600_000;

/**
 * Passes the console's reads and orders on to the engine, so that a browser talks to one address, and the
 * engine's answers back as they are.
 * @param onOrder called when an order was answered
 */
export function engineProxy(engine: HttpClient, onOrder: () => void): Router {
  const router = Router();
  const pass = async (
    method: 'GET' | 'POST',
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly body: unknown }> => {
    try {
      const timeoutMs = method === 'GET' ? READ_MS : ACTION_MS;
      return await engine.call(
        method,
        path,
        body === undefined ? { timeoutMs } : { body, timeoutMs },
      );
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      const { sent, message } = error;
      const outcome =
        method === 'POST' && sent ? '; it may have begun what was asked: see fig status' : '';
      throw new Problem(503, 'engine_away', `the engine does not answer: ${message}${outcome}`, {
        members: { next: sent ? 'fig status' : START_COMMAND },
      });
    }
  };
  for (const path of READS) {
    router.get(`/engine${path}`, async (_req, res) => {
      const { status, body } = await pass('GET', path);
      res.status(status).json(body);
    });
  }
  for (const path of ACTIONS) {
    router.post(`/engine${path}`, async (req, res) => {
      const { status, body } = await pass('POST', path, req.body ?? {});
      res.status(status).json(body);
      onOrder();
    });
  }
  return router;
}
