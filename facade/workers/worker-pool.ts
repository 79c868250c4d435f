import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import type { Logger } from '../../chassis/index.ts';
import type { HoldLog } from '../counting/index.ts';
import { MessageBroker } from './message-broker.ts';
import type { Line } from './message-broker.ts';
import type { ToPrimary, WorkerRequest } from './messages.ts';
import { PendingRequests } from './pending-requests.ts';

const FIRST_RESTART_MS = 100;
const LONGEST_RESTART_MS = 5_000;
/** A worker that has listened this long was not broken by its start. */
const STEADY_MS = 10_000;
const STOP_MS = 6_000;
const PULSE_MS = 2_000;
/** A worker that answers nothing for so long is hung: its clients are better off elsewhere. */
const HUNG_MS = 15_000;

interface WorkerPoolOptions {
  readonly count: number;
  readonly port: number;
  readonly holds: Pick<HoldLog, 'add'>;
  readonly log: Logger;
}

interface Member extends Line {
  readonly worker: Worker;
  readonly requests: PendingRequests;
  listening: boolean;
}

/** The workers: as many as wanted, started again when they die. */
export class WorkerPool {
  readonly #count: number;
  readonly #log: Logger;
  readonly #holds: Pick<HoldLog, 'add'>;
  readonly #hub = new MessageBroker();
  readonly #members = new Set<Member>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #port: number;
  #stopping = false;
  #restartMs = FIRST_RESTART_MS;

  constructor({ count, port, holds, log }: WorkerPoolOptions) {
    this.#count = count;
    this.#port = port;
    this.#holds = holds;
    this.#log = log;
  }

  /**
   * Starts them; resolves once all listen.
   * @throws when one ends before it does
   */
  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.#count }, () => this.#launch()));
    const pulse = setInterval(() => this.#feelPulses(), PULSE_MS).unref();
    this.#timers.add(pulse);
  }

  /** Starts one worker; resolves when it listens. */
  #launch(): Promise<void> {
    const worker = cluster.fork({ FACADE_PORT: String(this.#port) });
    const member: Member = {
      id: worker.id,
      worker,
      listening: false,
      requests: new PendingRequests((id, request) => member.send({ type: 'ask', id, request })),
      send: (message) => {
        if (worker.isConnected()) worker.send(message, () => undefined);
      },
    };
    this.#members.add(member);
    return new Promise((resolve, reject) => {
      worker.on('message', (message: ToPrimary) => {
        if (message.type === 'listening') {
          member.listening = true;
          this.#later(STEADY_MS, () => {
            this.#restartMs = FIRST_RESTART_MS;
          });
          resolve();
        } else if (message.type === 'answer') {
          member.requests.answered(message.id, message.value);
        } else if (message.type === 'held') {
          this.#holds.add(message.write);
        } else {
          this.#hub.hear(member, message);
        }
      });
      worker.on('error', (error) => this.#log.error({ err: error }, 'a worker failed'));
      worker.once('exit', (code, signal) => {
        this.#members.delete(member);
        member.requests.close();
        this.#hub.leave(member);
        const end = signal ?? code;
        if (this.#stopping) return;
        if (member.listening) this.#restart(end);
        else reject(new Error(`a worker ended before it listened (${end}); see its log above`));
      });
    });
  }

  #restart(end: string | number): void {
    const inMs = this.#restartMs;
    this.#restartMs = Math.min(LONGEST_RESTART_MS, inMs * 2);
    this.#log.error({ end, inMs }, 'a worker died; another one takes its place');
    this.#later(inMs, () => {
      if (this.#stopping) return;
      this.#launch().catch((error: unknown) => {
        if (this.#stopping) return;
        this.#log.error({ err: error }, 'a worker could not be started');
        this.#restart('start');
      });
    });
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms).unref();
    this.#timers.add(timer);
  }

  #feelPulses(): void {
    for (const { worker, requests, listening } of this.#members) {
      if (!listening) continue;
      if (requests.oldestMs > HUNG_MS) {
        this.#log.error({ pid: worker.process.pid }, 'a worker is hung and will be replaced');
        worker.process.kill('SIGKILL');
      } else {
        void requests.ask({ what: 'status' }, HUNG_MS * 2);
      }
    }
  }

  /** Asks all that listen; those that don't answer in time are left out. */
  async askAll(request: WorkerRequest, timeoutMs: number): Promise<readonly unknown[]> {
    const listening = [...this.#members].filter((member) => member.listening);
    const answers = await Promise.all(
      listening.map(({ requests }) => requests.ask(request, timeoutMs)),
    );
    return answers.filter((answer) => answer !== undefined);
  }

  get isComplete(): boolean {
    return [...this.#members].filter(({ listening }) => listening).length === this.#count;
  }

  /** Lets them finish what they are at. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(
      [...this.#members].map(
        ({ worker }) =>
          new Promise<void>((resolve) => {
            const timer = setTimeout(() => worker.process.kill('SIGKILL'), STOP_MS);
            worker.once('exit', () => {
              clearTimeout(timer);
              resolve();
            });
            worker.process.kill('SIGTERM');
          }),
      ),
    );
  }
}
