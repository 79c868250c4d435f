import type { WorkerRequest } from './messages.ts';

interface Open {
  readonly askedAt: number;
  readonly settle: (value: unknown) => void;
}

/** Questions to one worker, and its answers. */
export class PendingRequests {
  readonly #send: (id: number, request: WorkerRequest) => void;
  readonly #open = new Map<number, Open>();
  #last = 0;

  constructor(send: (id: number, request: WorkerRequest) => void) {
    this.#send = send;
  }

  /** @returns undefined when there is no answer in time, or the worker could not give one */
  ask(request: WorkerRequest, timeoutMs: number): Promise<unknown> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.answered(id, undefined), timeoutMs).unref();
      this.#open.set(id, {
        askedAt: performance.now(),
        settle: (value) => {
          clearTimeout(timer);
          resolve(value);
        },
      });
      this.#send(id, request);
    });
  }

  answered(id: number, value: unknown): void {
    this.#open.get(id)?.settle(value);
    this.#open.delete(id);
  }

  /** How long the oldest open question has waited. */
  get oldestMs(): number {
    const oldest = this.#open.values().next().value;
    return oldest === undefined ? 0 : performance.now() - oldest.askedAt;
  }

  /** Nobody will answer any more. */
  close(): void {
    for (const id of this.#open.keys()) this.answered(id, undefined);
  }
}
