import { neededBy } from '../../../rehearsal/index.ts';
import type { Outage } from '../../../rehearsal/index.ts';
import { eventually } from '../../support/index.ts';
import { effectsOf } from '../base/effects.ts';
import type { Effects } from '../base/effects.ts';
import type { Stand } from '../base/stand.ts';
import type { Others, Owners } from '../base/verdict.ts';
import { tryOnce, whatOf } from './writer-client.ts';
import type { FailedTry, Sent, AnsweredWrite } from './writer-ledger.ts';
import { MARK } from './writers.ts';
import type { Writers } from './writers.ts';

/**
 * What the writers were told and is not so. A write that only ever failed may have taken effect
 * once or not at all; then it is sent once more under its key, and must have taken effect once.
 */
export async function judgeWriters(
  stand: Stand,
  owners: Owners,
  { told, failed }: Writers,
): Promise<readonly string[]> {
  const before = await effectsOf(stand.system, owners);
  const broken = told.flatMap((write) => judgeOne(write, before));
  for (const failure of failed) {
    if (explained(failure, stand.outages)) continue;
    broken.push(`${failure.what} failed by ${failure.facade} without a cause: ${failure.reason}`);
  }
  const again = told.filter((write, index) => write.answer === null || index % 10 === 0);
  for (const write of again) broken.push(...(await sendAgain(stand, write)));
  const after = await effectsOf(stand.system, owners);
  for (const write of told) {
    const { length } = effects(write, after).filter((count) => count > 1);
    if (length > 0) broken.push(`${write.key} took effect twice, at last under its key`);
  }
  return broken;
}

/** What they have changed, for a verdict on the customers' orders. */
export async function othersOf(
  stand: Stand,
  owners: Owners,
  told: readonly AnsweredWrite[],
): Promise<Others> {
  const { adjustments } = await effectsOf(stand.system, owners);
  const units = new Map<string, number>();
  for (const { kind, key, sku, amount } of told) {
    if (kind === 'adjustment' && adjustments.has(key)) {
      units.set(sku, (units.get(sku) ?? 0) + amount);
    }
  }
  return { units, charged: (reference) => reference.startsWith(MARK) };
}

function effects({ kind, key }: Sent, { adjustments, payments, charges }: Effects): number[] {
  return kind === 'adjustment'
    ? [adjustments.get(key) ?? 0]
    : [payments.get(key) ?? 0, charges.get(key) ?? 0];
}

function judgeOne(write: AnsweredWrite, stored: Effects): string[] {
  const found = effects(write, stored);
  const { key, answer } = write;
  const said = `${whatOf(write)} (${key}), whose client was told ${answer?.status ?? 'nothing'}`;
  if (found.some((count) => count > 1)) return [`${said}, took effect twice: ${found.join()}`];
  if (answer === null) return [];
  const expected = answer.status === 201 ? 1 : 0;
  return found.every((count) => count === expected)
    ? []
    : [`${said}, is stored ${found.join(' and charged ')} times`];
}

/** @returns what the answer under the same key says other than the first one */
async function sendAgain({ system }: Stand, write: AnsweredWrite): Promise<string[]> {
  const url = system.urls['facade'] ?? '';
  const { answer, failure } = await eventually(async () => {
    const outcome = await tryOnce(write, { name: 'facade', url }, true);
    return outcome.answer || outcome.failure ? outcome : false;
  });
  if (failure) return [`${write.key}, sent again at rest, failed: ${failure.reason}`];
  const { answer: first } = write;
  if (first === null || (answer?.status === first.status && answer.id === first.id)) return [];
  return [`${write.key} was answered ${JSON.stringify(first)}, then ${JSON.stringify(answer)}`];
}

/** The facade that was asked and whoever it had to ask must not have been away for nothing. */
function explained({ what, facade, from, to }: FailedTry, outages: readonly Outage[]): boolean {
  const needed = new Set(neededBy(what).map((name) => (name === 'facade' ? facade : name)));
  return outages.some(
    (outage) => needed.has(outage.process) && from <= outage.to && to >= outage.from,
  );
}
