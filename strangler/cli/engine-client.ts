import { setTimeout as delay } from 'node:timers/promises';
import { CallFailed, createHttpClient, START_COMMAND } from '../../chassis/index.ts';
import type { HttpAnswer, OperatorToken } from '../../chassis/index.ts';
import type { EngineStatus, LiveStatus } from '../engine/index.ts';
import { CommandError, EXIT } from '../../chassis/cli/index.ts';
import { refusal } from './refusal.ts';
import type { ProblemBody } from './refusal.ts';

/** One that is busy answers late, and is there all the same; where none is, the answer comes at once. */
const STATUS_MS = 6_000;
/** An engine stands by as long as the lease of a dead one lasts; longer, another one leads. */
const STANDBY_MS = 5_000;
/** A supervisor starts an engine again within a second or two; one that takes longer does not come up. */
const RESTART_MS = 10_000;
/** The first pause; each further one is twice as long, so that what takes a moment is seen at once. */
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 250;
/** Programs make their tables when they start, which an engine that starts with them may see half done. */
const UNFIT_MS = 3_000;

/** Where the engine is, and what it wants to see. */
interface EngineAddress {
  readonly engineUrl: string;
  /** Whether `npm start` runs, which starts an engine again that ends. */
  readonly restartsEngine: boolean;
  readonly token: OperatorToken;
  readonly tokenFile: string;
}

/** Gives orders to the running engine, and asks it how things are. */
export class EngineClient {
  /** Where it asks: the engine that was named, or the one that leads instead. */
  #url: string;
  readonly #named: string;
  readonly #address: EngineAddress;
  readonly #deadline: number;
  readonly #timeoutMs: number;
  readonly #onWait: (reason: string) => void;
  /** Each is followed to once: two that name each other lead nowhere. */
  readonly #followed = new Set<string>();
  #standbySince: number | undefined;
  #unfitSince: number | undefined;
  #awaySince: number | undefined;
  #waitedFor = 'the engine has not answered';
  #isLate = false;
  #pauseMs = FIRST_PAUSE_MS;

  /** @param timeoutMs for everything that one command does */
  constructor(address: EngineAddress, timeoutMs: number, onWait: (reason: string) => void) {
    this.#url = address.engineUrl;
    this.#named = address.engineUrl;
    this.#address = address;
    this.#timeoutMs = timeoutMs;
    this.#deadline = performance.now() + timeoutMs;
    this.#onWait = onWait;
  }

  get url(): string {
    return this.#url;
  }

  /**
   * Why the last request got no status: the engine's port takes connections, and sends no answer in time, so that
   * only the engine's lease says whether the engine runs. Null where the engine answered, or no process listens.
   */
  get lateness(): string | null {
    return this.#isLate
      ? `the engine at ${this.#url} does not answer within ${STATUS_MS / 1_000} s`
      : null;
  }

  /** Its status; undefined when no engine answers. */
  async status(): Promise<EngineStatus | undefined> {
    const started = performance.now();
    this.#isLate = false;
    try {
      const answer = await this.#call('GET', '/status', undefined, STATUS_MS);
      return answer.status === 200 ? (answer.body as EngineStatus) : undefined;
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      this.#isLate = error.sent && performance.now() - started >= STATUS_MS;
      return undefined;
    }
  }

  async statusOf(capability: string): Promise<LiveStatus | undefined> {
    const status = await this.status();
    return status?.capabilities.find((one) => one.capability === capability);
  }

  /**
   * Gives an order; while the engine is not ready to take it, tries again until the time is up.
   * @param final codes of answers after which it is not given again, since it may have been begun
   * @throws CommandError for every answer other than success; CallFailed when the engine went away
   *   after it may have seen the order
   */
  async order(path: string, body: object, final: readonly string[] = []): Promise<unknown> {
    for (;;) {
      const answer = await this.#give(path, body);
      if (answer === undefined) {
        await this.pause(`no engine answers at ${this.#url}; ${START_COMMAND} starts it again`);
        continue;
      }
      if (answer.status < 400) return answer.body;
      const problem = (answer.body ?? {}) as ProblemBody;
      const { code = '' } = problem;
      if (answer.status !== 503 || FINAL.has(code) || final.includes(code)) {
        throw refusal(answer.status, problem);
      }
      if (code === 'mapping_unfit') this.#refuseLongUnfit(answer.status, problem);
      if (problem.standing === 'standby') {
        if (this.#follow(problem.leader)) continue;
        this.#refuseLongStandby(problem.detail ?? '');
      }
      await this.pause(problem.detail ?? 'the engine is not ready');
    }
  }

  /** Orders go to the engine that leads, whose address its lease holds. @returns whether it is another one */
  #follow(leader: string | undefined): boolean {
    if (leader === undefined || leader === this.#url || this.#followed.has(leader)) return false;
    this.#followed.add(leader);
    this.#onWait(`the engine at ${this.#url} stands by; asking the one that leads, at ${leader}`);
    this.#url = leader;
    return true;
  }

  /** Another engine leads, and this one will not. @throws CommandError that names it */
  #refuseLongStandby(detail: string): void {
    this.#standbySince ??= performance.now();
    if (performance.now() - this.#standbySince < STANDBY_MS) return;
    const message = `${detail}; the engine at ${this.#url} only stands by: give the other one's address in ENGINE_URL`;
    throw new CommandError(EXIT.failed, 'engine_stands_by', message, 'fig status');
  }

  /** Where tables are still being made, as at a first start, the mapping fits in a moment. @throws CommandError */
  #refuseLongUnfit(status: number, problem: ProblemBody): void {
    this.#unfitSince ??= performance.now();
    if (performance.now() - this.#unfitSince >= UNFIT_MS) throw refusal(status, problem);
  }

  /** Waits a moment. @throws CommandError when the command's time is up */
  async pause(reason: string): Promise<void> {
    if (performance.now() > this.#deadline) throw this.#timedOut(reason);
    this.#onWait(reason);
    this.#waitedFor = reason;
    await delay(this.#pauseMs);
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
  }

  /** @returns undefined where no engine took the order, and the supervisor starts one again */
  async #give(path: string, body: object): Promise<HttpAnswer | undefined> {
    const left = Math.max(1, Math.ceil(this.#deadline - performance.now()));
    try {
      return await this.#call('POST', path, body, left);
    } catch (error) {
      if (!(error instanceof CallFailed)) throw error;
      if (performance.now() >= this.#deadline) throw this.#timedOut(this.#waitedFor);
      if (error.sent) throw error;
      this.#awaySince ??= performance.now();
      const isBackSoon = performance.now() - this.#awaySince < RESTART_MS;
      if (this.#address.restartsEngine && isBackSoon) return undefined;
      throw new CommandError(
        EXIT.failed,
        'engine_away',
        this.#url === this.#named
          ? `no engine answers at ${this.#url}`
          : `the engine at ${this.#named} stands by, and the one that leads does not answer at ${this.#url} from here`,
        START_COMMAND,
      );
    }
  }

  #timedOut(reason: string): CommandError {
    const message = `not done within ${this.#timeoutMs / 1000} s: ${reason}`;
    return new CommandError(EXIT.timedOut, 'timed_out', message, 'fig status');
  }

  async #call(
    method: string,
    path: string,
    body: object | undefined,
    timeoutMs: number,
  ): Promise<HttpAnswer> {
    const { token, tokenFile } = this.#address;
    const client = createHttpClient(this.#url, timeoutMs, token.headers);
    try {
      const answer = await client.call(method, path, body === undefined ? {} : { body });
      if (answer.status !== 401) return answer;
      const message = `the engine at ${this.url} refuses the operators' token of ${tokenFile}; set FIG_TOKEN_FILE to the engine's own`;
      throw new CommandError(EXIT.failed, 'token_required', message, null);
    } finally {
      await client.close();
    }
  }
}

/** Codes that waiting does not help against: what became of the order has to be looked at. */
const FINAL = new Set(['handover_stuck', 'handover_lost']);
