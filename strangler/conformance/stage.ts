import { randomUUID } from 'node:crypto';
import type { FenceState } from '../../chassis/index.ts';
import { filledIn } from './sample.ts';
import type { Sample } from './sample.ts';
import type { Contents, ScratchDatabase, ScratchFence } from './scratch.ts';
import type { Service, ServiceAnswer } from './service.ts';

const REST = '*';

/** What the checks of writes need: a test system. */
export interface StageOptions {
  readonly service: Service;
  readonly capability: string;
  readonly scratch: ScratchDatabase;
  readonly write: Sample;
  /** Tables that change by themselves, such as an outbox. */
  readonly leftOut: ReadonlySet<string>;
}

/** A write that was sent, and what it has changed. */
export interface Written {
  readonly answer: ServiceAnswer;
  /** Names of tables. */
  readonly changed: readonly string[];
}

/** A service whose fence can be moved, and whose database can be looked at. */
export class Stage {
  readonly service: Service;
  readonly capability: string;
  readonly scratch: ScratchDatabase;
  readonly sample: Sample;
  readonly leftOut: ReadonlySet<string>;
  /** Of the fence, as it was set last. */
  epoch = 1;
  /** The longest that an accepted write has taken, in ms. */
  slowestMs = 0;

  constructor({ service, capability, scratch, write, leftOut }: StageOptions) {
    this.service = service;
    this.capability = capability;
    this.scratch = scratch;
    this.sample = write;
    this.leftOut = leftOut;
  }

  /** Sets the fence of the rest, and of one key; each time at a new epoch. */
  async set(
    state: FenceState,
    key?: { readonly name: string; readonly state: FenceState },
  ): Promise<void> {
    const { epoch } = this;
    const fences: ScratchFence[] = [{ key: REST, state, epoch: epoch + 1 }];
    if (key) fences.push({ key: key.name, state: key.state, epoch: epoch + 1 });
    await this.scratch.set(this.capability, fences);
    this.epoch = epoch + 1;
  }

  contents(): Promise<Contents> {
    return this.scratch.contents(this.leftOut);
  }

  /** Sends a write, the sample with new values where nothing else is given, and looks what it has changed. */
  async write({ request = filledIn(this.sample), key = newKey() } = {}): Promise<Written> {
    const before = await this.contents();
    const answer = await this.service.send(request, keyed(key));
    const changed = changedBetween(before, await this.contents());
    if (isDone(answer)) this.slowestMs = Math.max(this.slowestMs, answer.tookMs);
    return { answer, changed };
  }
}

export function newKey(): string {
  return randomUUID();
}

export function keyed(key: string): Readonly<Record<string, string>> {
  return { 'idempotency-key': key };
}

export function isDone({ status }: ServiceAnswer): boolean {
  return status >= 200 && status < 300;
}

/** The tables whose rows are others than before. */
export function changedBetween(before: Contents, after: Contents): readonly string[] {
  const tables = new Set([...before.keys(), ...after.keys()]);
  return [...tables].filter((table) => before.get(table) !== after.get(table)).sort();
}

/** What a FENCED answer must say. */
interface Wanted {
  readonly state: FenceState;
  readonly epoch: number;
  /** Set where the fence is that of a single key. */
  readonly key?: string;
}

/** Why an answer is not the FENCED problem; undefined where it is. */
export function notFenced(
  { capability }: Stage,
  { status, contentType, body }: ServiceAnswer,
  wanted: Wanted,
): string | undefined {
  if (status !== 421) return `the answer was ${status}, not 421`;
  if (!contentType.startsWith('application/problem+json')) {
    return `the answer's content-type was ${JSON.stringify(contentType)}, not application/problem+json`;
  }
  if (typeof body !== 'object' || body === null) return 'the answer holds no JSON object';
  const members = body as Readonly<Record<string, unknown>>;
  const all = { code: 'fenced', capability, ...wanted };
  for (const [name, value] of Object.entries(all)) {
    if (members[name] === value) continue;
    const given = JSON.stringify(members[name]) ?? 'missing';
    return `the problem's ${name} was ${given}, not ${JSON.stringify(value)}`;
  }
  return undefined;
}
