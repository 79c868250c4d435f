import type { InstanceHealth } from './instance-health.ts';

/** Its client does not send, or does not read; or it is an event stream without events. */
export type Idling = 'held up' | 'silent';

/** What an answer is handed to, and who may have lost interest while the request waited. */
export interface Exchange {
  readonly calledOff: boolean;
  /** Set while it waits for a connection. */
  isWaiting?: boolean;
  /** How the process does that it was given to; undefined once that knows how the exchange went. */
  health?: InstanceHealth | undefined;
  /** Of its server's breaker; 0 once that knows how the server does. */
  ticket: number;
  /** The address that it is for; none for what the facade asks for itself. */
  readonly client?: string;
  /** What keeps it from making use of its connection; asked again and again while others wait. */
  idling?(now: number, patienceMs: number): Idling | undefined;
  /** Gives its connection up, for the sake of others. */
  giveWay?(): void;
  /**
   * The request is about to be sent.
   * @param reused whether the connection has served before: its server may just be closing it
   */
  onConnect(abort: (error?: Error) => void, reused: boolean): void;
  /** The first byte of an answer has come. */
  onResponseStarted?(): void;
  onHeaders(status: number, headers: Buffer[], resume: () => void, reason: string): boolean;
  /** @returns false to wait for `resume` */
  onData(chunk: Buffer): boolean;
  onComplete(trailers: readonly (string | Buffer)[] | null): void;
  onError(error: Error): void;
}
