import type { Changed, Noted, Peers } from '../ownership/index.ts';
import type { ToPrimary, ToWorker, UnderWay } from './messages.ts';

/** Writes that are announced together. */
class Batch {
  readonly number: number;
  readonly writes: UnderWay[] = [];
  readonly known: Promise<void>;
  resolve: (() => void) | undefined;

  constructor(number: number) {
    this.number = number;
    this.known = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }
}

interface WorkerPeersOptions {
  readonly send: (message: ToPrimary) => void;
  /** What writes of that name are noted in. */
  readonly notedIn: (name: string) => Noted | undefined;
}

/**
 * Keeps the workers at one port of one mind about who is writing: a customer's next read may come
 * to any of them. Writes of the same moment travel in one message.
 */
export class WorkerPeers implements Peers {
  readonly #send: (message: ToPrimary) => void;
  readonly #notedIn: (name: string) => Noted | undefined;
  /** This worker's own, by `capability customer`: ids of writes, oldest first. */
  readonly #own = new Map<string, UnderWay[]>();
  /** The others' writes, by worker and id. */
  readonly #others = new Map<number, Map<number, UnderWay>>();
  readonly #unknown = new Map<number, Batch>();
  #lastId = 0;
  #lastBatch = 0;
  #begun: Batch | undefined;
  #ended: number[] = [];
  #flushing = false;

  constructor({ send, notedIn }: WorkerPeersOptions) {
    this.#send = send;
    this.#notedIn = notedIn;
  }

  begin(changes: readonly Changed[], customer: string): Promise<void> | undefined {
    let batch: Batch | undefined;
    for (const { name, replicated } of changes) {
      // Without replication there is nothing that could lag.
      if (!replicated) continue;
      this.#lastId += 1;
      const write = { id: this.#lastId, capability: name, customer };
      const key = entryOf(name, customer);
      const writes = this.#own.get(key);
      if (writes) writes.push(write);
      else this.#own.set(key, [write]);
      batch = this.#begun ??= this.#newBatch();
      batch.writes.push(write);
    }
    if (batch) this.#flushSoon();
    return batch?.known;
  }

  end(changes: readonly Changed[], customer: string): void {
    for (const { name, replicated } of changes) {
      if (!replicated) continue;
      const key = entryOf(name, customer);
      const writes = this.#own.get(key);
      const write = writes?.shift();
      if (writes?.length === 0) this.#own.delete(key);
      if (write) this.#ended.push(write.id);
    }
    if (this.#ended.length > 0) this.#flushSoon();
  }

  #newBatch(): Batch {
    this.#lastBatch += 1;
    return new Batch(this.#lastBatch);
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      const begun = this.#begun;
      const ids = this.#ended;
      this.#begun = undefined;
      this.#ended = [];
      if (begun) {
        this.#unknown.set(begun.number, begun);
        this.#send({ type: 'begin', batch: begun.number, writes: begun.writes });
      }
      if (ids.length > 0) this.#send({ type: 'end', ids });
    });
  }

  /** Takes what the primary passes on. */
  hear(message: ToWorker): void {
    if (message.type === 'known') {
      this.#unknown.get(message.batch)?.resolve?.();
      this.#unknown.delete(message.batch);
    } else if (message.type === 'begun') {
      this.#note(message.by, message.writes);
      const { by, batch } = message;
      if (batch !== undefined) this.#send({ type: 'noted', by, batch });
    } else if (message.type === 'ended') {
      this.#forget(message.by, message.ids);
    } else if (message.type === 'gone') {
      this.#forget(message.by, [...(this.#others.get(message.by)?.keys() ?? [])]);
      this.#others.delete(message.by);
    } else if (message.type === 'recall') {
      this.#send({ type: 'recall', to: message.to, writes: [...this.#own.values()].flat() });
    }
  }

  #note(by: number, writes: readonly UnderWay[]): void {
    const known = this.#others.get(by) ?? new Map<number, UnderWay>();
    this.#others.set(by, known);
    for (const write of writes) {
      // Told of it twice: when it began, and as one of those under way.
      if (known.has(write.id)) continue;
      known.set(write.id, write);
      this.#notedIn(write.capability)?.begin(write.customer);
    }
  }

  #forget(by: number, ids: readonly number[]): void {
    const known = this.#others.get(by);
    for (const id of ids) {
      const write = known?.get(id);
      if (!write) continue;
      known?.delete(id);
      this.#notedIn(write.capability)?.end(write.customer);
    }
  }
}

function entryOf(capability: string, customer: string): string {
  return `${capability} ${customer}`;
}
