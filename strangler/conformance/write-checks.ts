import { failed, passed } from './finding.ts';
import type { Finding } from './finding.ts';
import { filledIn } from './sample.ts';
import type { Sample } from './sample.ts';
import type { Contents } from './scratch.ts';
import type { ServiceAnswer } from './service.ts';
import { changedBetween, isDone, keyed, newKey, notFenced } from './stage.ts';
import type { Stage } from './stage.ts';

const READ_FENCE =
  'read the fence in the write’s own transaction, before its first read, and answer 421 with the FENCED problem';
const HOLD_FENCE =
  'begin the transaction, then read the fence in it: by fig_fence_held on PostgreSQL, which keeps it from closing ' +
  'until the transaction ends; behind BEGIN IMMEDIATE on SQLite';

function changes(changed: readonly string[]): string {
  return `${changed.join(', ')} ${changed.length === 1 ? 'has' : 'have'} changed`;
}

/** The sample must work, or the other checks would show nothing. */
export async function writeWhileOpen(stage: Stage): Promise<Finding> {
  await stage.set('open');
  const { answer, changed } = await stage.write();
  if (!isDone(answer)) {
    return failed(
      `the sample write answered ${answer.status}: ${JSON.stringify(answer.body)}`,
      'give a --write that the service accepts again and again: {unique} and {number} stand for new values',
    );
  }
  if (changed.length > 0) return passed(changes(changed));
  return failed(
    `the sample write answered ${answer.status}, and no table has changed`,
    'give as --database the one that the service writes to, and no table that counts as --ignore-tables',
  );
}

/** A refusal must say whose fence it was, and leave nothing behind. */
async function refused(
  stage: Stage,
  state: 'closed' | 'ceded',
  request?: Sample,
): Promise<Finding> {
  const { epoch } = stage;
  const { answer, changed } = await stage.write(request && { request });
  const fault = notFenced(stage, answer, { state, epoch });
  if (fault !== undefined) {
    const also = changed.length === 0 ? '' : `, and ${changes(changed)}`;
    return failed(`with the fence ${state}, ${fault}${also}`, READ_FENCE);
  }
  if (changed.length === 0) return passed();
  return failed(
    `the answer was 421, and ${changes(changed)}`,
    'let the refusal roll the whole transaction back, and write nothing outside of it',
  );
}

export async function writeWhileClosed(stage: Stage): Promise<Finding> {
  await stage.set('closed');
  return refused(stage, 'closed');
}

export async function writeWhileCeded(stage: Stage): Promise<Finding> {
  await stage.set('ceded');
  return refused(stage, 'ceded');
}

/** The facade sends a refused write again with its key, and some other time to this side. */
export async function keyAfterRefusal(stage: Stage): Promise<Finding> {
  const [request, key] = [filledIn(stage.sample), newKey()];
  await stage.set('closed');
  await stage.write({ request, key });
  await stage.set('open');
  const { answer, changed } = await stage.write({ request, key });
  if (isDone(answer) && changed.length > 0) return passed();
  return failed(
    `a write that was refused with 421 answered ${answer.status} when it came again with its key and the fence was open`,
    'store no answer under a key when the fence has refused: the key is stored in the transaction that is rolled back',
  );
}

/** Reads go on at a side that may not write: the facade sends some there, to compare or to spread them. */
export async function readWhileClosed(stage: Stage, read: Sample): Promise<Finding> {
  const request = filledIn(read);
  await stage.set('open');
  const before = await stage.service.send(request);
  if (!isDone(before)) {
    return failed(
      `the sample read answered ${before.status}`,
      'give a --read that the service answers',
    );
  }
  await stage.set('ceded');
  const after = await stage.service.send(request);
  if (sameAnswer(before, after)) return passed();
  return failed(
    `with the fence ceded the sample read answered ${after.status}, not as before`,
    'ask no fence for reads',
  );
}

/** An answer that a read has decided (not found, sold out) may be outdated where the fence is closed. */
export async function decidedByRead(stage: Stage, request: Sample): Promise<Finding> {
  await stage.set('open');
  const { answer } = await stage.write({ request: filledIn(request) });
  if (isDone(answer) || answer.status === 421) {
    return failed(
      `with the fence open, --refused-write answered ${answer.status}`,
      'give a write that the service refuses by its own rules, such as one of something that does not exist',
    );
  }
  await stage.set('closed');
  return refused(stage, 'closed', filledIn(request));
}

/** Nothing may be added once the fence is closed, by a write that had begun before. */
export async function writeAcrossClose(stage: Stage): Promise<Finding> {
  await stage.set('open');
  const { answer, waited, atClose } = await stage.scratch.closeAcross({
    capability: stage.capability,
    leftOut: stage.leftOut,
    graceMs: Math.min(2_000, Math.max(300, 10 * stage.slowestMs)),
    write: () => stage.service.send(filledIn(stage.sample), keyed(newKey())),
  });
  stage.epoch += 1;
  const late = changedBetween(atClose, await stage.contents());
  if (late.length > 0) {
    return failed(
      `a write that was under way was committed after the fence had closed (${changes(late)}, the answer was ` +
        `${answer.status}): a handover would lose it`,
      HOLD_FENCE,
    );
  }
  if (isDone(answer))
    return passed(waited ? 'the fence closed once the write was committed' : null);
  if (answer.status === 421) return passed('the write was refused');
  return failed(
    `a write that was under way while the fence closed answered ${answer.status}: ${JSON.stringify(answer.body)}`,
    'wait for locks for some seconds (busy_timeout, lock_timeout): the engine holds them for a moment',
  );
}

/** The same key is the same write: `honoursKeys` of the configuration promises that. */
export async function keyRepeated(stage: Stage): Promise<Finding> {
  await stage.set('open');
  const [request, key] = [filledIn(stage.sample), newKey()];
  const first = await stage.write({ request, key });
  const second = await stage.write({ request, key });
  const same = sameAnswer(first.answer, second.answer);
  if (same && second.changed.length === 0) return passed();
  const what = same
    ? `the same key took effect twice: ${changes(second.changed)}`
    : `the same key answered ${first.answer.status} first and ${second.answer.status} the second time, or another body`;
  return failed(what, KEYS);
}

const KEYS =
  'store the key with the answer in the write’s own transaction, and give that answer again; or leave the upstream ' +
  'out of honoursKeys, and pass --without-keys';

/** A facade whose connection broke sends a write again while the first one may still run. */
export async function keyAtOnce(stage: Stage): Promise<Finding> {
  await stage.set('open');
  const one = await rowsAdded(stage, () => stage.write());
  const [request, key] = [filledIn(stage.sample), newKey()];
  const answers: ServiceAnswer[] = [];
  const both = await rowsAdded(stage, async () => {
    const send = () => stage.service.send(request, keyed(key));
    answers.push(...(await Promise.all([send(), send()])));
  });
  const statuses = answers.map(({ status }) => status).join(' and ');
  if (both !== one) {
    return failed(
      `two requests with the same key at the same time (answered ${statuses}) added ${both} rows, one adds ${one}`,
      'let a unique index on the key decide which of the two is carried out',
    );
  }
  const done = answers.find(isDone);
  const later = await stage.service.send(request, keyed(key));
  if (done && sameAnswer(done, later)) return passed(`answered ${statuses}`);
  return failed(
    `two requests with the same key at the same time answered ${statuses}, and a third one ${later.status}`,
    KEYS,
  );
}

async function rowsAdded(stage: Stage, work: () => Promise<unknown>): Promise<number> {
  const before = rowsIn(await stage.contents());
  await work();
  return rowsIn(await stage.contents()) - before;
}

function rowsIn(contents: Contents): number {
  return [...contents.values()].reduce((sum, text) => sum + Number(text.split(' ')[0]), 0);
}

/** A customer who moved ahead has a fence of their own, which goes before that of the rest. */
export async function ownFenceOfKey(stage: Stage, name: string): Promise<Finding> {
  const remedy =
    'give the key (of whom the rows are) when reading the fence: its own row of fig_fence goes before that of *';
  await stage.set('open', { name, state: 'closed' });
  const { epoch } = stage;
  const shut = await stage.write();
  const fault = notFenced(stage, shut.answer, { state: 'closed', epoch, key: name });
  if (fault !== undefined) return failed(`with the fence of ${name} closed, ${fault}`, remedy);
  await stage.set('closed', { name, state: 'open' });
  const { answer } = await stage.write();
  if (isDone(answer)) return passed();
  return failed(
    `with the fence of ${name} open and that of the rest closed, the answer was ${answer.status}`,
    remedy,
  );
}

/** Before an engine has installed anything: a new service owns nothing, a monolith everything. */
export async function withoutFence(stage: Stage, isMonolith: boolean): Promise<Finding> {
  await stage.scratch.remove();
  const { answer, changed } = await stage.write();
  if (isMonolith) {
    if (isDone(answer)) return passed();
    return failed(
      `without a table fig_fence the sample write answered ${answer.status}`,
      'a monolith owns its data where there is no fence (whenAbsent: open)',
    );
  }
  const fault = notFenced(stage, answer, { state: 'closed', epoch: 0 });
  if (fault === undefined && changed.length === 0) return passed();
  return failed(
    `without a table fig_fence ${fault ?? changes(changed)}`,
    'a service owns nothing until it is handed over: answer FENCED, closed at epoch 0 (whenAbsent: closed)',
  );
}

/** Each delivery has a trace of its own. */
function sameAnswer(one: ServiceAnswer, other: ServiceAnswer): boolean {
  const text = ({ status, body }: ServiceAnswer): string =>
    JSON.stringify([status, body], (name, value: unknown) =>
      name === 'traceId' ? undefined : value,
    );
  return text(one) === text(other);
}
