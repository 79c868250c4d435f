import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../chassis/index.ts';
import { otherSide } from '../../strangler/routing/index.ts';
import type { SideName } from '../../strangler/routing/index.ts';
import type { Barriers, RoutingBook } from '../ownership/index.ts';
import type { Capability } from '../routes/index.ts';
import { keyOf } from '../routes/index.ts';
import { differences, sameAnswer } from './compare.ts';
import type { Difference, Observation } from './compare.ts';
import { fetchWhole } from './fetch-whole.ts';
import type { WholeListener } from './fetch-whole.ts';
import type { RequestForm } from '../request/index.ts';
import { Slots } from './slots.ts';
import type { Upstream } from './upstream.ts';

const MOST_AT_ONCE = 32;
const KEPT_MISMATCHES = 50;
/** Tells the other side that nobody waits for its answer. */
const SHADOWING: readonly string[] = ['x-fig-shadow', '1'];
const SETTLING_TRIES = 5;
/** How often a difference must be found without a change in between before it counts. */
const CONFIRMATIONS = 2;
/** Settling reads a lot; a busy pair of sides is not made busier than this. */
const SETTLING_AT_ONCE = 2;
/** Changes that come and go within this time may be missed, in ms. */
const WATCH_MS = 4;

/** A read that has been answered, and by which side. */
export interface Answered {
  readonly capability: Capability;
  readonly side: SideName;
  readonly form: RequestForm;
  readonly status: number;
  /** Undefined when it was too large to be kept. */
  readonly body: Buffer | undefined;
}

/** Two answers that should be equal and are not. */
export interface Mismatch {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly differences: readonly Difference[];
}

/** What came of the experiments with one capability. */
export interface Findings {
  compared: number;
  matched: number;
  mismatched: number;
  /** The data changed each time they were compared. */
  unsettled: number;
  /** The other side did not answer. */
  errors: number;
  /** Not compared: too many at once, or the answer was too large. */
  skipped: number;
  /** The newest last. */
  readonly mismatches: Mismatch[];
}

interface Deps {
  readonly book: RoutingBook;
  readonly barriers: Pick<Barriers, 'pass'>;
  readonly log: Logger;
  upstreamOf(capability: Capability, side: SideName): Upstream;
}

type Verdict =
  | { readonly kind: 'matched' | 'unsettled' }
  | { readonly kind: 'mismatched'; readonly differences: readonly Difference[] };

/**
 * Asks the other side too, once the client has its answer, and compares; after github/scientist.
 * The candidate can't hurt: it runs off the answer's path, reads only, has a deadline and a bound
 * on how many run at once, and whatever it does wrong is a finding.
 */
export class Experiments {
  readonly #deps: Deps;
  readonly #findings: Findings[] = [];
  #running = 0;
  #onIdle: (() => void)[] = [];
  readonly #settling = new Slots(SETTLING_AT_ONCE);

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  findings(capability: Capability): Findings {
    return (this.#findings[capability.index] ??= noFindings());
  }

  get running(): number {
    return this.#running;
  }

  /** Compares what a client was answered with what the other side says. Returns at once. */
  observe(answered: Answered): void {
    const { capability, side, form, status, body } = answered;
    if (body === undefined || this.#running >= MOST_AT_ONCE) {
      this.findings(capability).skipped += 1;
      return;
    }
    this.#running += 1;
    const upstream = this.#deps.upstreamOf(capability, otherSide(side));
    fetchWhole(upstream, form, SHADOWING, new FirstLook(this, answered, { status, body }));
  }

  /** The other side's first answer. Nearly always it is the same, so that case costs no promise. */
  weigh(answered: Answered, control: Observation, candidate: Observation): void {
    const { capability, side } = answered;
    if (compare(capability, side, control, candidate).length > 0) void this.#lookAgain(answered);
    else this.#conclude(answered, { kind: 'matched' });
  }

  async #lookAgain(answered: Answered): Promise<void> {
    await this.#settling.enter();
    const settled = this.#settle(answered.capability, answered.form);
    await settled.then(
      (verdict) => this.#conclude(answered, verdict),
      (error: unknown) => this.fail(answered, error),
    );
    this.#settling.leave();
  }

  #conclude({ capability, form: { method, target: path } }: Answered, verdict: Verdict): void {
    const findings = this.findings(capability);
    findings.compared += 1;
    findings[verdict.kind] += 1;
    this.#over();
    if (verdict.kind !== 'mismatched') return;
    const mismatch = {
      at: new Date().toISOString(),
      method,
      path,
      differences: verdict.differences,
    };
    findings.mismatches.push(mismatch);
    if (findings.mismatches.length > KEPT_MISMATCHES) findings.mismatches.shift();
    this.#deps.log.warn({ capability: capability.name, ...mismatch }, 'the sides differ');
  }

  /** The other side could not be asked. */
  fail({ capability }: Answered, error: unknown): void {
    this.findings(capability).errors += 1;
    this.#over();
    this.#deps.log.debug({ err: error, capability: capability.name }, 'experiment failed');
  }

  #over(): void {
    this.#running -= 1;
    if (this.#running === 0) for (const tell of this.#onIdle.splice(0)) tell();
  }

  /** Tells a real difference from one that was on its way, or came and went. */
  async #settle(capability: Capability, form: RequestForm): Promise<Verdict> {
    let found = 0;
    for (let tries = 0; tries < SETTLING_TRIES; tries += 1) {
      const verdict = await this.#compareInStillness(capability, form);
      if (verdict?.kind === 'matched') return verdict;
      if (verdict) found += 1;
      if (verdict && found === CONFIRMATIONS) return verdict;
    }
    return { kind: 'unsettled' };
  }

  /**
   * What the owner says before the barrier has reached the other side after it; if the owner goes
   * on saying the same until the other side has answered, that one has no excuse. The owner is
   * watched all the time: a stock that is reserved and released again looks untouched from afar.
   * @returns undefined when the data, or its owner, changed meanwhile
   */
  async #compareInStillness(
    capability: Capability,
    form: RequestForm,
  ): Promise<Verdict | undefined> {
    const { book, barriers } = this.#deps;
    const key = keyOf(capability, form);
    const { owner, epoch, holding } = book.of(capability, key);
    const control = await this.#ask(capability, owner, form);
    const watch = watchFor(control, () => this.#ask(capability, owner, form));
    let candidate: Observation;
    let still = false;
    try {
      if (holding || !(await barriers.pass(capability))) return undefined;
      candidate = await this.#ask(capability, otherSide(owner), form);
    } finally {
      still = await watch.stop();
    }
    const now = book.of(capability, key);
    if (!still || now.owner !== owner || now.epoch !== epoch) return undefined;
    const found = compare(capability, owner, control, candidate);
    return found.length === 0 ? { kind: 'matched' } : { kind: 'mismatched', differences: found };
  }

  #ask(capability: Capability, side: SideName, form: RequestForm): Promise<Observation> {
    const upstream = this.#deps.upstreamOf(capability, side);
    return new Promise((resolve, reject) => {
      fetchWhole(upstream, form, SHADOWING, { answered: resolve, failed: reject });
    });
  }

  /** Waits until none is running. */
  async settled(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }
}

/** Waits for the other side's first answer. */
class FirstLook implements WholeListener {
  readonly #experiments: Experiments;
  readonly #answered: Answered;
  readonly #control: Observation;

  constructor(experiments: Experiments, answered: Answered, control: Observation) {
    this.#experiments = experiments;
    this.#answered = answered;
    this.#control = control;
  }

  answered(candidate: Observation): void {
    this.#experiments.weigh(this.#answered, this.#control, candidate);
  }

  failed(error: Error): void {
    this.#experiments.fail(this.#answered, error);
  }
}

function noFindings(): Findings {
  return {
    compared: 0,
    matched: 0,
    mismatched: 0,
    unsettled: 0,
    errors: 0,
    skipped: 0,
    mismatches: [],
  };
}

function compare(
  { ignore }: Capability,
  controlSide: SideName,
  control: Observation,
  candidate: Observation,
): readonly Difference[] {
  return controlSide === 'legacy'
    ? differences(control, candidate, ignore)
    : differences(candidate, control, ignore);
}

/** Asks again and again; `stop` asks once more and tells whether every answer was the same. */
function watchFor(
  first: Observation,
  ask: () => Promise<Observation>,
): { stop(): Promise<boolean> } {
  let stopped = false;
  let still = true;
  const look = async (): Promise<void> => {
    still &&= sameAnswer(first, await ask());
  };
  const watching = (async () => {
    while (!stopped && still) {
      await look();
      await delay(WATCH_MS);
    }
  })().catch(() => {
    still = false;
  });
  return {
    async stop() {
      stopped = true;
      await watching;
      if (still) await look();
      return still;
    },
  };
}
