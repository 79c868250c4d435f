import { setTimeout as delay } from 'node:timers/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { addCommand, ago, CommandError, EXIT, table } from '../../chassis/cli/index.ts';
import type { Output, OutputOptions, RunWork } from '../../chassis/cli/index.ts';
import {
  CallFailed,
  createHttpClient,
  readSystemEnv,
  serviceUrl,
  tokenFile,
  tokenIn,
} from '../../chassis/index.ts';
import type { HttpAnswer, HttpClient } from '../../chassis/index.ts';

const Projection = z.object({
  name: z.string(),
  live: z.int(),
  building: z.int().nullable(),
  startedAt: z.int().nullable(),
  finishedAt: z.int().nullable(),
  trouble: z.string().nullable(),
  progress: z.object({ replayed: z.int(), total: z.int() }).nullable(),
});
type Projection = z.infer<typeof Projection>;

const List = z.object({ projections: z.array(Projection) });

type Environment = Readonly<Record<string, string | undefined>>;

const LOOK_EVERY_MS = 300;
const ANSWER_MS = 10_000;

/** Declares `shop projections`. */
export function addProjections(program: Command, run: RunWork, env: Environment): void {
  const projections = program
    .command('projections')
    .description(
      'look at the read models of the order view, and build one anew from the archives of events',
    );
  addCommand(projections, 'list', {
    does: 'list the projections: which generation is shown, and how far a rebuild is',
    examples: ['shop projections list', 'shop projections list --json'],
    isDefault: true,
  }).action((options: OutputOptions) =>
    run(options, (output) => withOrderView(env, (client) => list(client, output))),
  );
  addCommand(projections, 'rebuild', {
    does:
      'build a projection anew beside the one that is shown, and show it when it is complete; reads and events go on ' +
      'meanwhile',
    examples: ['shop projections rebuild orders', 'shop projections rebuild orders --no-wait'],
  })
    .argument('<name>', 'as the list shows it')
    .option('--no-wait', 'return when it has begun')
    .action((name: string, options: OutputOptions & { readonly wait: boolean }) =>
      run(options, (output) =>
        withOrderView(env, (client) => rebuild(client, output, name, options.wait)),
      ),
    );
}

/** The order view of a running system, as operators ask it. */
async function withOrderView<T>(
  env: Environment,
  work: (client: HttpClient) => Promise<T>,
): Promise<T> {
  const folder = resolve(env['FIG_DATA_DIR'] || '.fig');
  const found = await readSystemEnv(join(folder, 'system.json'));
  const all = { ...found.env, ...env };
  const token = tokenIn(tokenFile(all));
  const url = serviceUrl(all, 'ORDER_VIEW_URL', 4005);
  const client = createHttpClient(url, ANSWER_MS, () => token.headers());
  try {
    return await work(client);
  } catch (error) {
    if (!(error instanceof CallFailed)) throw error;
    const message = `the order view at ${url} does not answer: ${error.message}`;
    throw new CommandError(EXIT.failed, 'order_view_away', message, 'npm start');
  } finally {
    await client.close();
  }
}

/** @throws CommandError for a refusal, in the words of the service */
function bodyOf({ status, body }: HttpAnswer): unknown {
  if (status < 300) return body;
  const { code = 'failed', detail = `it was answered ${status}` } = (body ?? {}) as {
    code?: string;
    detail?: string;
  };
  if (status === 404) throw new CommandError(EXIT.usage, code, detail, 'shop projections list');
  throw new CommandError(EXIT.failed, code, detail);
}

async function read(client: HttpClient): Promise<readonly Projection[]> {
  return List.parse(bodyOf(await client.call('GET', '/projections'))).projections;
}

function stateOf({ building, progress, trouble, finishedAt }: Projection): string {
  if (building !== null) return `generation ${building} is built: ${shareOf(progress)}`;
  if (trouble !== null) return `not rebuilt: ${trouble}`;
  return finishedAt === null ? '' : `built ${ago(Date.now() - finishedAt)}`;
}

function shareOf(progress: Projection['progress']): string {
  if (!progress || progress.total === 0) return 'it begins';
  const { replayed, total } = progress;
  return `${replayed} of ${total} events`;
}

async function list(client: HttpClient, output: Output): Promise<void> {
  const projections = await read(client);
  output.result({ projections }, () =>
    table(projections.map((each) => [each.name, `generation ${each.live}`, stateOf(each)])),
  );
}

async function rebuild(
  client: HttpClient,
  output: Output,
  name: string,
  waits: boolean,
): Promise<void> {
  const path = `/projections/${encodeURIComponent(name)}/rebuild`;
  const begun = z
    .object({ outcome: z.string(), projection: Projection })
    .parse(bodyOf(await client.call('POST', path)));
  let { projection } = begun;
  const { building } = projection;
  while (waits && projection.building !== null && projection.building === building) {
    output.progress(`${name}: ${stateOf(projection)}`);
    await delay(LOOK_EVERY_MS);
    const all = await read(client);
    projection = all.find((each) => each.name === name) ?? projection;
  }
  output.progressEnd();
  if (projection.trouble !== null) {
    const message = `${name} was not rebuilt: ${projection.trouble}`;
    throw new CommandError(EXIT.refused, 'not_rebuilt', message);
  }
  const next = { command: 'shop projections list', reason: 'see how far it is' };
  output.result(
    { outcome: begun.outcome, projection },
    () =>
      waits ? `${name}: generation ${projection.live} is shown` : `${name}: ${stateOf(projection)}`,
    waits ? [] : [next],
  );
}
