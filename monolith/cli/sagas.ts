import { Option } from 'commander';
import type { Command } from 'commander';
import {
  addCommand,
  CommandError,
  confirmed,
  EXIT,
  parsePositive,
  table,
  YES,
} from '../../chassis/cli/index.ts';
import type { Output, OutputOptions } from '../../chassis/cli/index.ts';
import { SAGA_STATES } from '../../chassis/index.ts';
import type { Decision, OpenedSaga, SagaDesk, SagaState, SagaView } from '../../chassis/index.ts';
import { duration } from '../../chassis/text/index.ts';
import { historyText, lineOf, presentStep } from './saga-text.ts';
import type { Run, Shop } from './shop.ts';

interface ListOptions extends OutputOptions {
  readonly state?: SagaState;
  readonly limit: number;
}

interface DecideOptions extends OutputOptions {
  readonly yes: boolean;
  readonly reason?: string;
}

interface RetryOptions extends DecideOptions {
  readonly all: boolean;
}

interface ResolveOptions extends DecideOptions {
  readonly as: 'done' | 'refused';
}

const ID = 'as the list shows it, such as place:0190...';
const REASON = ['--reason <text>', 'your words, for the history of the saga'] as const;
const LIST = 'shop sagas list';
/** How many `--all` takes at once. */
const AT_ONCE = 1_000;

/** Declares `shop sagas`. */
export function addSagas(program: Command, run: Run): void {
  const sagas = program
    .command('sagas')
    .description(
      'look at the sagas of orders, and decide about those that are stuck; each decision is recorded in the history of ' +
        'its saga, and a running monolith goes on by it at once',
    );
  addList(sagas, run);
  addShow(sagas, run);
  addRetry(sagas, run);
  addCompensate(sagas, run);
  addResolve(sagas, run);
}

function addList(sagas: Command, run: Run): void {
  addCommand(sagas, 'list', {
    does: 'list the newest sagas that have not ended: where they are, and why they are stuck',
    examples: ['shop sagas list', 'shop sagas list --state stuck --json'],
    isDefault: true,
  })
    .addOption(new Option('--state <state>', 'only those in this state').choices(SAGA_STATES))
    .option('--limit <count>', 'how many', parsePositive, 50)
    .action((options: ListOptions) => run(options, (shop, output) => list(shop, output, options)));
}

function addShow(sagas: Command, run: Run): void {
  addCommand(sagas, 'show', {
    does: 'tell what has happened to a saga step by step, without secrets',
    examples: ['shop sagas show place:0190...'],
  })
    .argument('<id>', ID)
    .action((id: string, options: OutputOptions) =>
      run(options, (shop, output) => show(shop, output, id)),
    );
}

function addRetry(sagas: Command, run: Run): void {
  addCommand(sagas, 'retry', {
    does: 'take the step of a stuck saga again, after the cause is gone; its key asks the owner first',
    examples: ['shop sagas retry place:0190...', 'shop sagas retry --all --yes'],
  })
    .argument('[id]', ID)
    .option('--all', 'all that are stuck', false)
    .option(...REASON)
    .option(...YES, false)
    .action((id: string | undefined, options: RetryOptions) =>
      run(options, (shop, output) => retry(shop, output, id, options)),
    );
}

function addCompensate(sagas: Command, run: Run): void {
  addCommand(sagas, 'compensate', {
    does:
      'take a stuck order back: the owner of its present step is asked what has become of it, then all is undone ' +
      'that was done: money is paid back, goods are released',
    examples: ['shop sagas compensate place:0190... --reason "sold out" --yes'],
  })
    .argument('<id>', ID)
    .option(...REASON)
    .option(...YES, false)
    .action((id: string, options: DecideOptions) =>
      run(options, (shop, output) =>
        decideOne(shop, output, id, options, 'compensate', `shop sagas compensate ${id}`),
      ),
    );
}

function addResolve(sagas: Command, run: Run): void {
  addCommand(sagas, 'resolve', {
    does:
      'say what has become of the step of a stuck saga, after you have looked at its owner: "done" goes on after it, ' +
      '"refused" (it had no effect) undoes what came before; nothing is asked or checked',
    examples: [
      'shop sagas resolve place:0190... --as done --reason "captured, says the processor"',
      'shop sagas resolve place:0190... --as refused --yes',
    ],
  })
    .argument('<id>', ID)
    .addOption(
      new Option('--as <outcome>', 'what has become of the step')
        .choices(['done', 'refused'])
        .makeOptionMandatory(),
    )
    .option(...REASON)
    .option(...YES, false)
    .action((id: string, options: ResolveOptions) =>
      run(options, (shop, output) =>
        decideOne(
          shop,
          output,
          id,
          options,
          `resolve as ${options.as}`,
          `shop sagas resolve ${id} --as ${options.as}`,
        ),
      ),
    );
}

async function newest(
  { desks }: Shop,
  limit: number,
  state?: SagaState,
): Promise<readonly SagaView[]> {
  const lists = await Promise.all(desks.map((desk) => desk.list(limit, state)));
  return lists
    .flat()
    .toSorted((left, right) => right.createdAt - left.createdAt)
    .slice(0, limit);
}

/** Where no state is given, those that are stuck stand first: many may be under way. */
async function listed(
  shop: Shop,
  limit: number,
  state: SagaState | undefined,
): Promise<readonly SagaView[]> {
  if (state !== undefined) return newest(shop, limit, state);
  const stuck = await newest(shop, limit, 'stuck');
  const others = (await newest(shop, limit)).filter((saga) => saga.state !== 'stuck');
  return [...stuck, ...others].slice(0, limit);
}

async function list(shop: Shop, output: Output, { state, limit }: ListOptions): Promise<void> {
  const sagas = await listed(shop, limit, state);
  const stuck = sagas.find((saga) => saga.state === 'stuck');
  const next = stuck ? [stepTo(stuck)] : [];
  output.result(
    { sagas },
    () => {
      if (sagas.length === 0) return state ? `no saga is ${state}` : 'no saga is under way';
      const full = sagas.length === limit ? [`the newest ${limit}; --limit shows more`] : [];
      const remedy = next.map(({ command }) => `next: ${command}`);
      return [table(sagas.map((saga) => lineOf(saga, Date.now()))), ...full, ...remedy].join('\n');
    },
    next,
  );
}

function stepTo({ id, stuck }: SagaView) {
  return { command: `shop sagas show ${id}`, reason: stuck?.reason ?? 'it is stuck' };
}

async function show(shop: Shop, output: Output, id: string): Promise<void> {
  const { saga } = await mustFind(shop, id);
  output.result({ saga }, () => showText(saga));
}

function showText(saga: OpenedSaga): string {
  const head = lineOf({ ...saga, stuck: null }, Date.now()).filter((cell) => cell !== '');
  const why = saga.stuck
    ? [`stuck for ${duration(Date.now() - saga.stuck.since)}: ${saga.stuck.reason}`]
    : [];
  const holder = saga.lease ? [`worker ${saga.lease.worker} has it`] : [];
  const data = JSON.stringify(saga.data, null, 2).replaceAll(/^/gm, '  ');
  return [head.join('  '), ...why, ...holder, data, historyText(saga.history)].join('\n');
}

async function mustFind(
  { desks }: Shop,
  id: string,
): Promise<{ readonly desk: SagaDesk; readonly saga: OpenedSaga }> {
  for (const desk of desks) {
    const saga = await desk.find(id);
    if (saga) return { desk, saga };
  }
  throw new CommandError(EXIT.usage, 'no_saga', `there is no saga ${id}`, LIST);
}

async function retry(
  shop: Shop,
  output: Output,
  id: string | undefined,
  options: RetryOptions,
): Promise<void> {
  if ((id === undefined) === !options.all) {
    throw new CommandError(EXIT.usage, 'usage_id', 'give an id, or --all', LIST);
  }
  if (id !== undefined) {
    await decideOne(shop, output, id, options, 'retry', `shop sagas retry ${id}`);
    return;
  }
  const stuck = await newest(shop, AT_ONCE, 'stuck');
  if (stuck.length === 0) {
    output.result({ decided: [] }, () => 'no saga is stuck');
    return;
  }
  const question = `Take the step again of ${stuck.length === 1 ? 'one saga' : `${stuck.length} sagas`}?`;
  const { yes } = options;
  await confirmed(output, { look: () => ({ question }), yes, command: 'shop sagas retry --all' });
  const decided: SagaView[] = [];
  for (const { id: each, type } of stuck) {
    const desk = shop.desks.find((one) => one.type === type);
    const told = await desk?.decide(each, 'retry', options.reason ?? null);
    // One that is not stuck any more was decided about meanwhile.
    if (told && !('code' in told)) decided.push(told);
  }
  output.result({ decided }, () => decided.map((saga) => `${saga.id}  ${saga.state}`).join('\n'));
}

/** What a decision does, for who is asked whether to do it. */
const WILL: Readonly<Record<Exclude<Decision, 'drop'>, (saga: SagaView) => string>> = {
  retry: (saga) => `Take ${presentStep(saga)} of ${saga.id} again?`,
  compensate: (saga) =>
    `Ask the owner what has become of ${presentStep(saga)} of ${saga.id}, and undo the order?`,
  'resolve as done': (saga) => `Count ${presentStep(saga)} of ${saga.id} as done, and go on?`,
  'resolve as refused': (saga) =>
    `Count ${presentStep(saga)} of ${saga.id} as without effect, and undo what came before it?`,
};

async function decideOne(
  shop: Shop,
  output: Output,
  id: string,
  { yes, reason }: DecideOptions,
  decision: Exclude<Decision, 'drop'>,
  command: string,
): Promise<void> {
  const { desk, saga } = await mustFind(shop, id);
  const look = () => ({ question: WILL[decision](saga) });
  // What is refused in any case is refused before the operator is asked.
  if (saga.state === 'stuck') await confirmed(output, { look, yes, command });
  const told = await desk.decide(id, decision, reason ?? null);
  if ('code' in told) {
    throw new CommandError(EXIT.refused, told.code, told.message, `shop sagas show ${id}`);
  }
  output.result({ saga: told }, () => `${id}  ${told.state}`);
}
