import { decideSaga, nameOf } from './decisions.ts';
import type { Decision, NotDecided } from './decisions.ts';
import { stepsOf } from './definition.ts';
import type { SagaDefinition } from './definition.ts';
import type { SagaHistoryEntry } from './history.ts';
import { stateOf } from './record.ts';
import type { SagaRecord, SagaState } from './record.ts';
import type { SagaStore, StoredSaga } from './store.ts';

/** What operators see of a saga: no secrets. Times are ms since 1970. */
export interface SagaView {
  readonly id: string;
  readonly type: string;
  readonly version: number;
  /** Whether this build can go on with it. */
  readonly isKnown: boolean;
  readonly state: SagaState;
  /** The present step; null after the last. */
  readonly step: string | null;
  readonly direction: 'forward' | 'backward' | null;
  readonly attempt: number;
  readonly failures: number;
  readonly stuck: { readonly reason: string; readonly since: number } | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** The worker that has it, and how long its lease lasts if it does not renew it; null while none has. */
  readonly lease: { readonly worker: string; readonly leftMs: number } | null;
}

export interface OpenedSaga extends SagaView {
  readonly data: unknown;
  readonly history: readonly SagaHistoryEntry[];
}

/** What operators do about the sagas of one type. */
export interface SagaDesk {
  readonly type: string;
  /** The newest first; those that have not ended, where no state is given. */
  list(limit: number, state?: SagaState): Promise<readonly SagaView[]>;
  find(id: string): Promise<OpenedSaga | undefined>;
  /** @param note the operator's words, for the history */
  decide(id: string, decision: Decision, note: string | null): Promise<SagaView | NotDecided>;
}

export function createSagaDesk<Data, Trx>(
  definition: SagaDefinition<Data, Trx>,
  store: SagaStore<Data, Trx>,
): SagaDesk {
  function viewOf({ record, ...stored }: StoredSaga<Data>): SagaView {
    const { id, version, status, attempt, failures, stuck } = record;
    const hasEnded = status === 'completed' || status === 'compensated';
    return {
      id,
      type: definition.type,
      version,
      isKnown: stepsOf(definition, version) !== undefined,
      state: stateOf(record),
      step: hasEnded ? null : stepNameOf(record),
      direction: hasEnded ? null : status,
      attempt,
      failures,
      stuck,
      ...stored,
    };
  }

  const stepNameOf = ({ version, step }: SagaRecord<Data>): string =>
    nameOf(stepsOf(definition, version)?.[step], step);

  return {
    type: definition.type,
    list: async (limit, state) => (await store.list(limit, state)).map(viewOf),
    async find(id) {
      const [saga, history] = await Promise.all([store.find(id), store.history(id)]);
      return saga && { ...viewOf(saga), data: definition.shown(saga.record.data), history };
    },
    async decide(id, decision, note) {
      const told = await decideSaga(definition, store, id, decision, note);
      if ('code' in told) return told;
      const saga = await store.find(id);
      if (!saga) throw new Error(`${id} was decided about, and is gone`);
      return viewOf(saga);
    },
  };
}
