import { ago, table } from '../../chassis/cli/index.ts';
import { shortened } from '../../chassis/index.ts';
import type { SagaHistoryEntry, SagaView } from '../../chassis/index.ts';

/** The present step of a saga, in words. */
export function presentStep({ direction, step }: SagaView): string {
  return `${direction === 'backward' ? 'undoing ' : ''}${step ?? 'its end'}`;
}

/** A saga as a line of a list. */
export function lineOf(saga: SagaView, now: number): string[] {
  const { id, state, isKnown, version, attempt, createdAt, stuck } = saga;
  const tries = attempt > 1 ? `attempt ${attempt}` : '';
  const alone = isKnown ? '' : `version ${version} is not known to this build; `;
  return [
    id,
    state,
    saga.step === null ? '' : presentStep(saga),
    tries,
    ago(now - createdAt),
    alone + shortened(stuck?.reason ?? ''),
  ];
}

/** A saga's history, a line for each result. */
export function historyText(history: readonly SagaHistoryEntry[]): string {
  if (history.length === 0) return 'no step has a result yet';
  return table(
    history.map(({ step, direction, result, reason, times, startedAt, endedAt }) => [
      new Date(endedAt).toISOString(),
      `${direction === 'backward' ? 'undo ' : ''}${step}`,
      times > 1 ? `${result} ${times} times` : result,
      times > 1 ? '' : `${Math.max(0, endedAt - startedAt)} ms`,
      reason ?? '',
    ]),
  );
}
