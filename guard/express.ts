import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import { fencedAnswer, fencesAnswer } from './answer.ts';
import type { FencesOptions, GuardAnswer } from './answer.ts';

/** Serves `GET /fences`: `app.get('/fences', expressFences({ fences: () => knexFences(knex), token }))`. */
export function expressFences(options: FencesOptions): RequestHandler {
  return (req, res, next) => {
    fencesAnswer(options, req.headers.authorization).then((answer) => send(res, answer), next);
  };
}

/** Answers a write that a fence has refused with 421. Use it after all routes, before other error handlers. */
export function expressFenced(): ErrorRequestHandler {
  return (error, _req, res, next) => {
    const answer = fencedAnswer(error);
    if (answer === undefined || res.headersSent) next(error);
    else send(res, answer);
  };
}

function send(res: Response, { status, headers, body }: GuardAnswer): void {
  res.status(status).set(headers).send(JSON.stringify(body));
}
