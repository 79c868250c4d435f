import type { Dispatcher } from 'undici';
import type { Operation } from '../operations.ts';
import type { RawAnswer } from './answer.ts';

export type Area = Operation['area'];

/** Something that serves the contract, or some areas of it. */
export interface Target {
  readonly name: string;
  readonly baseUrl: string;
  /** What connects to it, where its URL does not say how. */
  readonly via?: Dispatcher | undefined;
  readonly areas: readonly Area[];
  /**
   * Waits until whatever was written may be read wherever reads go; called before each read. A
   * target that leaves it out must by itself show a customer what that customer has written.
   */
  settled?(): Promise<void>;
}

/** One request of a case, and its answer. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly sent: unknown;
  readonly answer: RawAnswer;
}
