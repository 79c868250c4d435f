import express from 'express';
import type { ErrorRequestHandler, Request, RequestHandler, Response, Router } from 'express';
import type { Database } from '../database.ts';
import { Problem } from '../problem.ts';

/** What a database was told of a capability that has left it. */
export interface Notice {
  /** Where its routes are served now: a base URL. */
  readonly successor: string;
  /** Since when it belongs to somebody else; ms since 1970, as are the following. */
  readonly since: number;
  /** When its routes are to go; null when nobody has said. */
  readonly sunset: number | null;
  /** When they went; null while they are still served. */
  readonly retiredAt: number | null;
}

interface MovedRoutesOptions {
  readonly database: Database;
  readonly capability: string;
  /** Under which all of its routes are. */
  readonly path: string;
  readonly routes: Router;
  readonly now?: () => number;
}

const NO_TABLE = /no such table|does not exist/;
/** How often it is written down that somebody still asks, in ms. */
const NOTED_EVERY_MS = 1_000;

/** Reads what the database knows; undefined while nothing has moved. */
async function readNotice({ read }: Database, capability: string): Promise<Notice | undefined> {
  try {
    const row = (await read('fig_notice').where({ capability }).first()) as
      | {
          successor: string;
          since: number | string;
          sunset: number | string | null;
          retired_at: number | string | null;
        }
      | undefined;
    return (
      row && {
        successor: row.successor,
        since: Number(row.since),
        sunset: row.sunset === null ? null : Number(row.sunset),
        retiredAt: row.retired_at === null ? null : Number(row.retired_at),
      }
    );
  } catch (error) {
    if (NO_TABLE.test(String(error))) return undefined;
    throw error;
  }
}

/**
 * Routes that know when their capability has moved away: their answers then carry `Deprecation`
 * (RFC 9745), `Sunset` (RFC 8594) and a `Link` to the successor, and once the capability is retired
 * they are 410. All of it stands in the database, so that it is so whatever else runs.
 */
export function movedRoutes(options: MovedRoutesOptions): Router {
  const { path, routes } = options;
  const router = express.Router();
  router.use(path, announce(options));
  router.use(routes);
  router.use(path, retiredMeanwhile(options));
  return router;
}

function announce({ database, capability, now = Date.now }: MovedRoutesOptions): RequestHandler {
  const note = askedNote(database, capability, now);
  return async (req, res, next) => {
    const notice = await readNotice(database, capability);
    if (notice === undefined) {
      next();
      return;
    }
    note(req);
    setHeaders(req, res, notice);
    if (notice.retiredAt !== null) throw gone(req, capability, notice);
    next();
  };
}

function setHeaders(req: Request, res: Response, { since, sunset, successor }: Notice): void {
  res.set('deprecation', `@${Math.floor(since / 1_000)}`);
  if (sunset !== null) res.set('sunset', new Date(sunset).toUTCString());
  res.set('link', `<${successor}${req.originalUrl}>; rel="successor-version"`);
}

/** Its tables went while a request was on its way through the routes. */
function retiredMeanwhile({ database, capability }: MovedRoutesOptions): ErrorRequestHandler {
  return async (error: unknown, req, res, next) => {
    if (!NO_TABLE.test(String(error))) {
      next(error);
      return;
    }
    const notice = await readNotice(database, capability);
    if (notice === undefined || notice.retiredAt === null) {
      next(error);
      return;
    }
    setHeaders(req, res, notice);
    next(gone(req, capability, notice));
  };
}

function gone(req: Request, capability: string, { successor }: Notice): Problem {
  const detail = `${capability} is no longer served here; ask ${successor}${req.originalUrl}`;
  return new Problem(410, 'moved_away', detail, { members: { capability, successor } });
}

/** Writes down, now and then, that somebody still asks here: whoever retires it wants to know. */
function askedNote(
  database: Database,
  capability: string,
  now: () => number,
): (req: Request) => void {
  let asked = 0;
  let writtenAt = 0;
  return (req) => {
    asked += 1;
    if (now() - writtenAt < NOTED_EVERY_MS) return;
    writtenAt = now();
    const times = asked;
    asked = 0;
    const what = `${req.method} ${req.baseUrl}${req.path}`;
    database
      .transaction((trx) =>
        trx('fig_notice')
          .where({ capability })
          .update({
            asked: trx.raw('asked + ?', [times]),
            asked_at: writtenAt,
            asked_for: what,
          }),
      )
      // Only a note: the request itself does not depend on it.
      .catch(() => undefined);
  };
}
