import type { Asked } from '../route/index.ts';
import type { HeldWrite } from '../counting/index.ts';

/** One write that is under way at some worker: until it is answered its customer is unsettled. */
export interface UnderWay {
  /** Unique at the worker that does it. */
  readonly id: number;
  readonly capability: string;
  readonly customer: string;
}

/** What operators may want to know of a worker. */
export type WorkerRequest =
  | { readonly what: 'status' | 'traffic' | 'metrics' | 'readiness' | 'upstreams' }
  | { readonly what: 'explain'; readonly question: Asked };

export type ToWorker =
  | { readonly type: 'ask'; readonly id: number; readonly request: WorkerRequest }
  /** Another worker begins writes; `batch` wants to be acknowledged. */
  | {
      readonly type: 'begun';
      readonly by: number;
      readonly writes: readonly UnderWay[];
      readonly batch?: number;
    }
  | { readonly type: 'ended'; readonly by: number; readonly ids: readonly number[] }
  /** A worker has died: nobody will say how its writes ended. */
  | { readonly type: 'gone'; readonly by: number }
  /** All others know of this worker's batch. */
  | { readonly type: 'known'; readonly batch: number }
  /** Somebody new must hear of the writes under way. */
  | { readonly type: 'recall'; readonly to: number }
  /** The new one has heard of all. */
  | { readonly type: 'recalled' };

export type ToPrimary =
  | { readonly type: 'listening'; readonly ports: Readonly<Record<string, number>> }
  | { readonly type: 'hello' }
  | { readonly type: 'answer'; readonly id: number; readonly value?: unknown }
  | { readonly type: 'begin'; readonly batch: number; readonly writes: readonly UnderWay[] }
  | { readonly type: 'end'; readonly ids: readonly number[] }
  | { readonly type: 'noted'; readonly by: number; readonly batch: number }
  | { readonly type: 'recall'; readonly to: number; readonly writes: readonly UnderWay[] }
  | { readonly type: 'held'; readonly write: Omit<HeldWrite, 'sequence'> };
