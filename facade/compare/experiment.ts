import type { Logger } from '../../chassis/index.ts';
import { otherSide } from '../../routing/index.ts';
import type { SideName } from '../../routing/index.ts';
import type { Barriers, OwnershipCache } from '../ownership/index.ts';
import type { Capability } from '../match/index.ts';
import { differences, sameAnswer } from './compare.ts';
import type { Difference } from './compare.ts';
import { decoded } from './decoded.ts';
import { Slots, TooLarge, fetchWhole } from '../upstream/index.ts';
import type { Observation, Repeatable, Upstream, WholeListener } from '../upstream/index.ts';
import { noFindings } from './findings.ts';
import type { Findings, NotCompared } from './findings.ts';
import type { Identity, RequestForm } from '../request/index.ts';
import { isConditional, unconditional } from './unconditional.ts';
import { watchFor } from './watch.ts';

const MOST_AT_ONCE = 32;
const KEPT_MISMATCHES = 50;
/** Tells the other side that nobody waits for its answer. */
const SHADOWING: readonly string[] = ['x-fig-shadow', '1'];
const SETTLING_TRIES = 5;
/** How often a difference must be found without a change in between before it counts. */
const CONFIRMATIONS = 2;
/** Settling reads a lot; a busy pair of sides is not made busier than this. */
const SETTLING_AT_ONCE = 2;

/** A read that has been answered, and by which side. */
export interface Answered {
  readonly capability: Capability;
  readonly side: SideName;
  readonly form: RequestForm;
  readonly identity: Identity | undefined;
  /** Lower-case names of the headers that must be the same on both sides. */
  readonly comparedHeaders: readonly string[];
  /** The body that came with it. */
  readonly sent: Buffer | null;
  readonly control: Observation;
}

interface Deps {
  readonly ownershipCache: OwnershipCache;
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
    const { capability, side, form, sent, control } = answered;
    const upstream = this.#deps.upstreamOf(capability, otherSide(side));
    // Clients go first.
    if (this.#running >= MOST_AT_ONCE || upstream.waiting > 0) {
      this.skip(capability, 'busy');
      return;
    }
    this.#running += 1;
    if (isConditional(form)) {
      this.#askBoth(answered).catch((error: unknown) => this.fail(answered, error));
      return;
    }
    const more = addedFor(upstream, answered.identity);
    fetchWhole(upstream, { form, body: sent }, more, new FirstLook(this, answered, control));
  }

  /** Counts an answer that was to be compared and is not. */
  skip(capability: Capability, reason: NotCompared): void {
    const findings = this.findings(capability);
    findings.skipped += 1;
    findings.notCompared[reason] = (findings.notCompared[reason] ?? 0) + 1;
  }

  /** The other side's first answer. Nearly always it is the same, so that case costs no promise. */
  weigh(answered: Answered, control: Observation, candidate: Observation): void {
    if (sameAnswer(control, candidate, answered.comparedHeaders)) {
      this.#conclude(answered, { kind: 'matched' });
    } else {
      this.#lookCloser(answered, control, candidate).catch((error: unknown) =>
        this.fail(answered, error),
      );
    }
  }

  async #lookCloser(
    answered: Answered,
    control: Observation,
    candidate: Observation,
  ): Promise<void> {
    await this.#judge(answered, await meant(control), await meant(candidate));
  }

  /** What both sides meant. */
  async #judge(answered: Answered, control: Observation, candidate: Observation): Promise<void> {
    if (this.#compare(answered, answered.side, control, candidate).length === 0) {
      this.#conclude(answered, { kind: 'matched' });
      return;
    }
    await this.#settling.enter();
    try {
      this.#conclude(answered, await this.#settle(answered));
    } finally {
      this.#settling.leave();
    }
  }

  /** What a client has already says nothing of what the sides would answer. */
  async #askBoth(answered: Answered): Promise<void> {
    const control = await this.#ask(answered, answered.side);
    await this.#judge(answered, control, await this.#ask(answered, otherSide(answered.side)));
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

  /** The other side could not be asked, or its answer can't be compared. */
  fail({ capability }: Answered, error: unknown): void {
    if (error instanceof TooLarge) this.skip(capability, 'too_large');
    else if (error instanceof Incomparable) this.skip(capability, error.reason);
    else this.findings(capability).errors += 1;
    this.#over();
    this.#deps.log.debug({ err: error, capability: capability.name }, 'experiment failed');
  }

  #over(): void {
    this.#running -= 1;
    if (this.#running === 0) for (const tell of this.#onIdle.splice(0)) tell();
  }

  /** Tells a real difference from one that was on its way, or came and went. */
  async #settle(answered: Answered): Promise<Verdict> {
    let found = 0;
    for (let tries = 0; tries < SETTLING_TRIES; tries += 1) {
      const verdict = await this.#compareInStillness(answered);
      if (verdict?.kind === 'matched') return verdict;
      if (verdict) found += 1;
      if (verdict && found === CONFIRMATIONS) return verdict;
    }
    return { kind: 'unsettled' };
  }

  /**
   * Compares while the owner's data stands still: reads the owner's answer, passes a barrier, and asks the
   * other side. A difference counts only if the owner gave the same answer all the while: it is asked again
   * and again, since stock that is reserved and released looks untouched before and after.
   * @returns undefined when the data, or its owner, changed meanwhile
   */
  async #compareInStillness(answered: Answered): Promise<Verdict | undefined> {
    const { ownershipCache, barriers } = this.#deps;
    const { capability, form } = answered;
    const { owner, epoch, holding } = ownershipCache.of(capability, form);
    const control = await this.#ask(answered, owner);
    const watch = watchFor(control, () => this.#ask(answered, owner));
    let candidate: Observation;
    let still = false;
    try {
      if (holding || !(await barriers.pass(capability))) return undefined;
      candidate = await this.#ask(answered, otherSide(owner));
    } finally {
      still = await watch.stop();
    }
    const now = ownershipCache.of(capability, form);
    if (!still || now.owner !== owner || now.epoch !== epoch) return undefined;
    const found = this.#compare(answered, owner, control, candidate);
    return found.length === 0 ? { kind: 'matched' } : { kind: 'mismatched', differences: found };
  }

  async #ask({ capability, form, identity, sent }: Answered, side: SideName): Promise<Observation> {
    const upstream = this.#deps.upstreamOf(capability, side);
    const asked: Repeatable = { form: unconditional(form), body: sent };
    const observed = await new Promise<Observation>((resolve, reject) => {
      fetchWhole(upstream, asked, addedFor(upstream, identity), {
        answered: resolve,
        failed: reject,
      });
    });
    return meant(observed);
  }

  #compare(
    { capability, comparedHeaders }: Answered,
    controlSide: SideName,
    control: Observation,
    candidate: Observation,
  ): readonly Difference[] {
    const origins = {
      legacy: this.#deps.upstreamOf(capability, 'legacy').url,
      extracted: this.#deps.upstreamOf(capability, 'extracted').url,
    };
    const rules = { ignore: capability.ignore, headers: comparedHeaders, origins };
    return controlSide === 'legacy'
      ? differences(control, candidate, rules)
      : differences(candidate, control, rules);
  }

  /** Waits until none is running. */
  async settled(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }
}

/** The headers that the facade adds to a comparing read: that no client waits for it, and the caller's identity. */
function addedFor(upstream: Upstream, identity: Identity | undefined): readonly string[] {
  return identity ? [...SHADOWING, ...identity.proofFor(upstream.name)] : SHADOWING;
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

/** An answer with its body decoded. @throws Incomparable where that is not possible */
async function meant(observation: Observation): Promise<Observation> {
  const observed = await decoded(observation);
  if (typeof observed === 'string') throw new Incomparable(observed);
  return observed;
}

class Incomparable extends Error {
  readonly reason: NotCompared;

  constructor(reason: NotCompared) {
    super(reason);
    this.reason = reason;
  }
}
