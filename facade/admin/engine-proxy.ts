import { randomUUID } from 'node:crypto';
import { Router } from 'express';
import type { Request } from 'express';
import { operatorHeaders, operatorIn } from '../../chassis/audit/index.ts';
import type { AuditTrail } from '../../chassis/audit/index.ts';
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

interface EngineProxyOptions {
  readonly engine: HttpClient;
  /** The engine at another address: the one that leads. */
  readonly engineAt: (url: string) => HttpClient;
  /** Called when an order was answered. */
  readonly onOrder: () => void;
  /** Who has let a browser in; undefined for a caller without a session. */
  readonly sessionOf: (req: Request) => string | undefined;
  readonly audit: AuditTrail | undefined;
}

interface Passed {
  readonly status: number;
  readonly body: unknown;
}

/**
 * Passes the console's reads and orders on to the engine, so that a browser talks to one address, and the
 * engine's answers back as they are. An engine that stands by names the one that leads, and that one gets the order.
 */
export function engineProxy(options: EngineProxyOptions): Router {
  const { engine, engineAt, onOrder, sessionOf, audit } = options;
  const router = Router();
  for (const path of READS) {
    router.get(`/engine${path}`, async (_req, res) => {
      const { status, body } = await engine
        .call('GET', path, { timeoutMs: READ_MS })
        .catch((error: unknown) => {
          throw awayProblem(error, '');
        });
      res.status(status).json(body);
    });
  }
  for (const path of ACTIONS) {
    router.post(`/engine${path}`, async (req, res) => {
      const told = operatorIn(req.headers);
      const { action = randomUUID(), reason = null } = told;
      const who = sessionOf(req) ?? told.who ?? 'unknown';
      const headers = operatorHeaders({ who, reason, action }, req.socket.remoteAddress);
      const order = { body: (req.body ?? {}) as unknown, headers, timeoutMs: ACTION_MS };
      try {
        const { status, body } = await give(path, order);
        res.status(status).json(body);
        onOrder();
      } catch (error) {
        const problem = awayProblem(error, '; it may have begun what was asked: see fig status');
        const from = req.socket.remoteAddress ?? 'unknown';
        const { body } = order;
        if (audit) await recordFailure(audit, { path, who, from, action, reason, body }, problem);
        throw problem;
      }
    });
  }
  return router;

  async function give(path: string, order: Parameters<HttpClient['call']>[2]): Promise<Passed> {
    const answer = await engine.call('POST', path, order);
    const { standing, leader } = (answer.body ?? {}) as { standing?: string; leader?: string };
    if (answer.status !== 503 || standing !== 'standby' || leader === undefined) return answer;
    const leading = engineAt(leader);
    try {
      return await leading.call('POST', path, order);
    } finally {
      await leading.close();
    }
  }
}

/** @param outcome what is to be said of an order that the engine may have seen */
function awayProblem(error: unknown, outcome: string): Problem {
  if (!(error instanceof CallFailed)) throw error;
  const { sent, message } = error;
  const detail = `the engine does not answer: ${message}${sent ? outcome : ''}`;
  return new Problem(503, 'engine_away', detail, {
    members: { next: sent ? 'fig status' : START_COMMAND },
  });
}

interface Unanswered {
  readonly path: string;
  readonly who: string;
  readonly from: string;
  readonly action: string;
  readonly reason: string | null;
  readonly body: unknown;
}

/** The engine records what it gets; this is for what it did not, or gave no answer to. */
async function recordFailure(
  audit: AuditTrail,
  { path, who, from, action: id, reason, body }: Unanswered,
  { code, message: detail }: Problem,
): Promise<void> {
  const { capability } = body as { readonly capability?: unknown };
  const common = { id, at: Date.now(), by: 'admin' };
  await audit.record({
    ...common,
    event: 'asked',
    who,
    from,
    via: 'console',
    action: `POST ${path}`,
    capability: typeof capability === 'string' ? capability : null,
    reason,
    order: body,
    evidence: null,
  });
  await audit.record({
    ...common,
    event: 'ended',
    outcome: 'failed',
    code,
    detail,
    evidence: null,
  });
}
