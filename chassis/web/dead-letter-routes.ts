import { Router } from 'express';
import { z } from 'zod';
import { tokenRequired } from '../access.ts';
import type { Access } from '../access.ts';
import type { DeadLetters, DeadLetterSource } from '../dead-letters.ts';
import { invalidRequest, notFound, parse } from '../problem.ts';

/** How many are listed at once; the counts tell whether there are more. */
const LISTED = 1_000;

/**
 * What operators do about a process's dead letters. It needs the operators' token, since reasons and details tell of
 * customers.
 */
export function deadLetterRoutes({ token }: Access, letters: DeadLetters): Router {
  const kinds = Object.keys(letters);
  const query = z.strictObject({
    kind: z.enum(kinds).optional(),
    limit: z.coerce.number().int().min(0).max(LISTED).default(LISTED),
  });
  const remedy = `kinds are ${kinds.join(', ')}; limit is 0 to ${LISTED}`;

  function sourceOf(kind: string): DeadLetterSource {
    const source = letters[kind];
    if (source && Object.hasOwn(letters, kind)) return source;
    const message = 'is no kind of dead letters of this process';
    const give = `give ${kinds.join(' or ')}`;
    throw invalidRequest([{ field: 'kind', value: kind, message, remedy: give }]);
  }

  const router = Router();
  router.use('/dead-letters', (req, _res, next) => {
    if (!token.accepts(req.headers.authorization)) throw tokenRequired();
    next();
  });
  router.get('/dead-letters', async (req, res) => {
    const { kind, limit } = parse(query, req.query, 'query', remedy);
    const wanted = kind === undefined ? kinds : [kind];
    const lists = wanted.map(async (each) =>
      (await sourceOf(each).list(limit)).map((letter) => ({ kind: each, ...letter })),
    );
    const counts = (await countsOf(letters)).map(({ kind: of, count }) => [of, count] as const);
    res.json({
      counts: Object.fromEntries(counts),
      deadLetters: (await Promise.all(lists)).flat(),
    });
  });
  router.get('/dead-letters/:kind/:id', async (req, res) => {
    const { kind, id } = req.params;
    const letter = await sourceOf(kind).find(id);
    if (!letter) throw notFound('dead letter', id);
    res.json({ kind, ...letter });
  });
  router.post('/dead-letters/:kind/:id/retry', async (req, res) => {
    const { kind, id } = req.params;
    if (!(await sourceOf(kind).retry(id))) throw notFound('dead letter', id);
    res.json({ kind, id, decision: 'retry' });
  });
  router.post('/dead-letters/:kind/:id/drop', async (req, res) => {
    const { kind, id } = req.params;
    if (!(await sourceOf(kind).drop(id))) throw notFound('dead letter', id);
    res.json({ kind, id, decision: 'drop' });
  });
  return router;
}

/** How many there are of each kind. */
export function countsOf(
  letters: DeadLetters,
): Promise<readonly { kind: string; count: number }[]> {
  return Promise.all(
    Object.entries(letters).map(async ([kind, source]) => ({ kind, count: await source.count() })),
  );
}
