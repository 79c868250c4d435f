import type { ToPrimary, ToWorker } from './messages.ts';

/** A way to one worker. */
export interface Line {
  readonly id: number;
  send(message: ToWorker): void;
}

interface Pending {
  readonly from: Line;
  readonly batch: number;
  readonly waitingFor: Set<number>;
}

/** Passes on between workers who writes; it keeps nothing but what is not acknowledged yet. */
export class MessageBroker {
  /** Those that have said hello: they know of every write that begins. */
  readonly #lines = new Map<number, Line>();
  readonly #pending = new Map<string, Pending>();
  /** New workers, and whose writes they have not heard of yet. */
  readonly #newcomers = new Map<Line, Set<number>>();

  hear(from: Line, message: ToPrimary): void {
    switch (message.type) {
      case 'hello':
        this.#welcome(from);
        break;
      case 'begin': {
        const { batch, writes } = message;
        const waitingFor = new Set<number>();
        for (const line of this.#others(from)) {
          waitingFor.add(line.id);
          line.send({ type: 'begun', by: from.id, writes, batch });
        }
        this.#pending.set(`${from.id} ${batch}`, { from, batch, waitingFor });
        this.#settle(`${from.id} ${batch}`);
        break;
      }
      case 'noted':
        this.#pending.get(`${message.by} ${message.batch}`)?.waitingFor.delete(from.id);
        this.#settle(`${message.by} ${message.batch}`);
        break;
      case 'end':
        for (const line of this.#others(from)) {
          line.send({ type: 'ended', by: from.id, ids: message.ids });
        }
        break;
      case 'recall': {
        const { to, writes } = message;
        this.#lines.get(to)?.send({ type: 'begun', by: from.id, writes });
        this.#heard(from.id);
        break;
      }
      default:
        break;
    }
  }

  #others(from: Line): readonly Line[] {
    return [...this.#lines.values()].filter((line) => line !== from);
  }

  #welcome(line: Line): void {
    const others = this.#others(line);
    this.#lines.set(line.id, line);
    this.#newcomers.set(line, new Set(others.map(({ id }) => id)));
    for (const other of others) other.send({ type: 'recall', to: line.id });
    this.#heard(line.id);
  }

  /** A newcomer has been told of this worker's writes, or never will be. */
  #heard(of: number): void {
    for (const [newcomer, missing] of this.#newcomers) {
      missing.delete(of);
      if (missing.size > 0) continue;
      this.#newcomers.delete(newcomer);
      newcomer.send({ type: 'recalled' });
    }
  }

  #settle(key: string): void {
    const pending = this.#pending.get(key);
    if (!pending || pending.waitingFor.size > 0) return;
    this.#pending.delete(key);
    pending.from.send({ type: 'known', batch: pending.batch });
  }

  /** A worker has died: nobody waits for it, and its writes are over. */
  leave(gone: Line): void {
    this.#lines.delete(gone.id);
    this.#newcomers.delete(gone);
    for (const line of this.#lines.values()) line.send({ type: 'gone', by: gone.id });
    for (const [key, { from, waitingFor }] of this.#pending) {
      waitingFor.delete(gone.id);
      if (from === gone) this.#pending.delete(key);
      else this.#settle(key);
    }
    this.#heard(gone.id);
  }
}
