import { Router } from 'express';
import { tokenRequired } from '../access.ts';
import type { Access } from '../access.ts';
import type { Database } from '../database.ts';
import type { Outbox } from '../events/outbox.ts';
import { methodNotAllowed } from '../method-not-allowed.ts';
import { invalidRequest } from '../problem.ts';

const MOST = 1_000;

function whole(value: unknown, field: string, fallback: number, most: number): number {
  if (value === undefined) return fallback;
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : NaN;
  if (number <= most) return number;
  throw invalidRequest([
    {
      field,
      value,
      message: `must be a whole number up to ${most}`,
      remedy: 'leave it out to begin at the start',
    },
  ]);
}

/** Lists the events of an outbox in its order, for a subscriber that starts from the beginning. */
export function archiveRoutes(
  access: Access,
  { database: { read }, outbox }: { readonly database: Database; readonly outbox: Outbox },
): Router {
  const router = Router();
  router
    .route('/event-archive')
    .get(async (req, res) => {
      if (!access.token.accepts(req.headers.authorization, 'system')) throw tokenRequired();
      const after = whole(req.query['after'], 'after', 0, Number.MAX_SAFE_INTEGER);
      const limit = whole(req.query['limit'], 'limit', 100, MOST);
      const { sequence: head, isComplete } = await outbox.head(read);
      res.json({ head, isComplete, events: await outbox.archive(read, after, limit) });
    })
    .all(methodNotAllowed('GET'));
  return router;
}
