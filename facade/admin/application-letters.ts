import { Router } from 'express';
import { Problem } from '../../chassis/index.ts';
import { askDeadLetters, decideDeadLetter, letterSourcesOf } from '../../routing/index.ts';
import type { LetterContext, ToldLetters } from '../../routing/index.ts';

/** What each application tells of its dead letters: the answer of `GET /dead-letters`. */
export interface LetterList {
  readonly applications: readonly ({ readonly upstream: string } & ToldLetters)[];
}

/**
 * Dead letters of the applications that the configuration names: events and saga steps, as `fig
 * dead-letters` lists and decides them.
 */
export function applicationLetters(context: () => LetterContext): Router {
  const router = Router();
  router.get('/dead-letters', async (_req, res) => {
    const told = await askDeadLetters(context(), '?limit=100');
    const list: LetterList = { applications: told.map(({ server: _where, ...one }) => one) };
    res.json(list);
  });
  router.post('/dead-letters/:upstream/:kind/:id/:decision', async (req, res) => {
    const { upstream, kind, id, decision } = req.params;
    if (decision !== 'retry' && decision !== 'drop') {
      throw new Problem(404, 'no_such_route', `a dead letter is retried or dropped`);
    }
    const source = letterSourcesOf(context()).find((one) => one.upstream === upstream);
    if (!source) {
      const detail = `${upstream} is none of the applications under deadLetters in the configuration`;
      throw new Problem(404, 'unknown_application', detail);
    }
    const trouble = await decideDeadLetter(context(), source, { kind, id }, decision);
    if (trouble === undefined) {
      const detail = `${upstream} has no such dead letter any more`;
      throw new Problem(404, 'unknown_dead_letter', detail);
    }
    if (trouble !== null) throw new Problem(502, 'not_decided', `${upstream}: ${trouble}`);
    res.json({ outcome: decision === 'retry' ? 'retried' : 'dropped', upstream, kind, id });
  });
  return router;
}
