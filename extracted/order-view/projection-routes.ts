import { Router } from 'express';
import type { RequestHandler } from 'express';
import { methodNotAllowed, notFound, tokenRequired } from '../../chassis/index.ts';
import type { Access, Database } from '../../chassis/index.ts';
import { beginRebuild, listProjections } from './generations.ts';

/** What operators ask of projections, with their token; `bin/shop projections` is its command line. */
export function projectionRoutes(access: Access, database: Database): Router {
  const router = Router();
  const operatorsOnly: RequestHandler = (req, _res, next) => {
    if (!access.token.accepts(req.headers.authorization)) throw tokenRequired();
    next();
  };

  router
    .route('/projections')
    .get(operatorsOnly, async (_req, res) => {
      res.json({ projections: await listProjections(database.read) });
    })
    .all(methodNotAllowed('GET'));

  router
    .route('/projections/:name/rebuild')
    .post(operatorsOnly, async (req, res) => {
      const { name } = req.params;
      const outcome = await beginRebuild(database, name);
      if (outcome === 'unknown') throw notFound('projection', name);
      const projection = (await listProjections(database.read)).find((each) => each.name === name);
      res.status(202).json({ outcome, projection });
    })
    .all(methodNotAllowed('POST'));

  return router;
}
