import { fencedAnswer, fencesAnswer } from './answer.ts';
import type { FencesOptions, GuardAnswer } from './answer.ts';

// As much of Fastify as is used here; its own types fit. Who uses another framework need not install them.
interface FastifyReply {
  code(status: number): FastifyReply;
  headers(headers: Readonly<Record<string, string>>): FastifyReply;
  send(body: unknown): FastifyReply;
}
interface FastifyRequest {
  readonly headers: { readonly authorization?: string | undefined };
}
interface FastifyInstance {
  get(path: string, handler: (request: FastifyRequest, reply: FastifyReply) => unknown): unknown;
  setErrorHandler(
    handler: (error: Error, request: FastifyRequest, reply: FastifyReply) => void,
  ): unknown;
}

/**
 * A Fastify plugin: serves `GET /fences`, and answers a write that a fence has refused with 421. It sets the error
 * handler of the instance that registers it; where that has one of its own, call `sendFenced` in there instead.
 */
export async function fastifyGuard(app: FastifyInstance, options: FencesOptions): Promise<void> {
  app.get('/fences', async (request, reply) =>
    send(reply, await fencesAnswer(options, request.headers.authorization)),
  );
  app.setErrorHandler((error, _request, reply) => {
    // Fastify gives an error that a handler sends to the handler around it.
    if (!sendFenced(error, reply)) void reply.send(error);
  });
}

// Fastify keeps a plugin's error handler to that plugin's routes, but for one that says so.
Object.assign(fastifyGuard, { [Symbol.for('skip-override')]: true });

/** Answers with 421 if a fence has refused the write. @returns whether it has */
export function sendFenced(error: unknown, reply: FastifyReply): boolean {
  const answer = fencedAnswer(error);
  if (answer !== undefined) void send(reply, answer);
  return answer !== undefined;
}

function send(reply: FastifyReply, { status, headers, body }: GuardAnswer): FastifyReply {
  return reply.code(status).headers(headers).send(JSON.stringify(body));
}
