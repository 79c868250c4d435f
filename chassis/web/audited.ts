import { randomUUID } from 'node:crypto';
import type { Request, RequestHandler, Response } from 'express';
import { operatorIn } from '../audit/index.ts';
import type { AuditOutcome, AuditTrail, AuditVia } from '../audit/index.ts';

export interface AuditOptions {
  readonly trail: AuditTrail;
  /** The process that records. */
  readonly by: string;
  /** Requests that another process records, or that only ask what would happen. */
  readonly leavesOut?: (req: Request) => boolean;
  /** Who a browser's session belongs to; undefined for a caller without one. */
  readonly sessionOf?: (req: Request) => string | undefined;
  /** What is known before an order is carried out, such as its dry run. */
  readonly evidence?: (req: Request) => Promise<unknown>;
}

const UNKNOWN = 'unknown';
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Records each order that is given to this process, before it is carried out, and what came of it. Dry runs are none. */
export function audited(options: AuditOptions): RequestHandler {
  const { trail, by, leavesOut = () => false, sessionOf = () => undefined, evidence } = options;
  return async (req, res, next) => {
    const order = (req.body ?? {}) as { readonly dryRun?: unknown; readonly capability?: unknown };
    if (SAFE.has(req.method) || order.dryRun === true || leavesOut(req)) {
      next();
      return;
    }
    const session = sessionOf(req);
    const told = operatorIn(req.headers);
    const id = told.action ?? randomUUID();
    const { capability } = order;
    await trail.record({
      event: 'asked',
      id,
      at: Date.now(),
      by,
      who: session ?? told.who ?? UNKNOWN,
      from: told.from ?? req.socket.remoteAddress ?? UNKNOWN,
      via: viaOf(session, told),
      action: `${req.method} ${req.path}`,
      capability: typeof capability === 'string' ? capability : null,
      reason: told.reason ?? null,
      order,
      evidence: (await evidence?.(req).catch(() => null)) ?? null,
    });
    onAnswer(res, (outcome, answer) => {
      const { code = null, detail = null } = outcome === 'done' ? {} : problemIn(answer);
      void trail.record({
        event: 'ended',
        id,
        at: Date.now(),
        by,
        outcome,
        code,
        detail,
        evidence: answer,
      });
    });
    next();
  };
}

function viaOf(session: string | undefined, told: ReturnType<typeof operatorIn>): AuditVia {
  if (session !== undefined || told.from !== undefined) return 'console';
  return told.action === undefined ? 'api' : 'fig';
}

/** Requests that want to change something and come without the token: they are no orders, and are recorded all the same. */
export function auditedRefusals({ trail, by }: Pick<AuditOptions, 'trail' | 'by'>): RequestHandler {
  let second = 0;
  let recorded = 0;
  return (req, res, next) => {
    if (!SAFE.has(req.method)) {
      res.once('finish', () => {
        if (res.statusCode !== 401) return;
        const now = Math.floor(Date.now() / 1_000);
        if (now !== second) [second, recorded] = [now, 0];
        // Clients without the token can ask without end, and fill no disk.
        recorded += 1;
        if (recorded > MOST_REFUSALS_A_SECOND) return;
        const told = operatorIn(req.headers);
        const common = { id: randomUUID(), at: Date.now(), by };
        void trail.record({
          ...common,
          event: 'asked',
          who: UNKNOWN,
          from: req.socket.remoteAddress ?? UNKNOWN,
          via: viaOf(undefined, told),
          action: `${req.method} ${req.path}`.slice(0, 200),
          capability: null,
          reason: null,
          order: null,
          evidence: null,
        });
        void trail.record({
          ...common,
          event: 'ended',
          outcome: 'refused',
          code: 'token_required',
          detail: 'it came without the operators’ token',
          evidence: null,
        });
      });
    }
    next();
  };
}

const MOST_REFUSALS_A_SECOND = 2;

function onAnswer(res: Response, tell: (outcome: AuditOutcome, answer: unknown) => void): void {
  let answer: unknown = null;
  const send = res.send.bind(res);
  res.send = (body?: unknown) => {
    answer = parsed(body);
    return send(body);
  };
  res.once('close', () => {
    const { statusCode } = res;
    // Cut off: no process has recorded what came of it.
    if (!res.writableFinished) tell('failed', answer);
    else tell(statusCode < 400 ? 'done' : statusCode < 500 ? 'refused' : 'failed', answer);
  });
}

function parsed(body: unknown): unknown {
  if (typeof body !== 'string') return body ?? null;
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return null;
  }
}

function problemIn(answer: unknown): { readonly code?: string; readonly detail?: string } {
  return answer ?? {};
}
