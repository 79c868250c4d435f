import { createHmac, timingSafeEqual } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { within } from '../../../chassis/index.ts';
import type { Logger } from '../../../chassis/index.ts';
import { encodeRow } from '../../mapping/index.ts';
import type { Row } from '../../mapping/index.ts';
import { PackedChange } from '../packed-change.ts';
import type { PackedRow } from '../packed-change.ts';
import { PackedSlice } from '../packed-slice.ts';
import type { PackedLines } from '../packed-slice.ts';
import { redisThatMayBeAway } from '../../../chassis/redis/index.ts';
import type { FeedReader } from '../../sides/side-database.ts';
import { otherSide } from '../../../routing/side.ts';
import type { SideName } from '../../../routing/side.ts';
import type { Change, Slice } from '../../ledger/store.ts';
import { Relay } from './relay.ts';
import type { SliceSink, SliceSource } from './slice-source.ts';

const CLOSE_MS = 1_000;
/** How long a Redis that says nothing at all is waited for before slices go without it. */
const CONNECT_MS = 250;
/** While one slice is applied, the next is fetched; the applier takes them in turn, in any order. */
const AT_ONCE = 2;

/** The BullMQ queue that carries one side's feed to the other. */
export function queueName(capability: string, feedOf: SideName): string {
  return `feed.${capability}.${feedOf}-to-${otherSide(feedOf)}`;
}

interface QueueSourceOptions {
  readonly redisUrl: string;
  readonly capability: string;
  readonly feedOf: SideName;
  /**
   * Names the installation that the feed belongs to, and is stored in its database only. Slices are
   * proved with it: Redis may hold another installation's, or what somebody has put there.
   */
  readonly incarnation: string;
  readonly feed: FeedReader;
  /** How many changes a job should hold at the moment. */
  readonly limit: () => number;
  readonly log: Logger;
}

interface Job {
  /** Proves that the slice was read from the feed. */
  readonly proof: string;
  readonly after: number;
  readonly upto: number;
  /** The mark of the change that it follows; an earlier build's jobs have none. */
  readonly before?: string | null;
  /** As the feed's database has them: one by one, or all in one piece. */
  readonly changes: readonly PackedRow[] | PackedLines;
}

const LINES = ['tx', 'table', 'key', 'op', 'image', 'epoch', 'at'] as const;

/** Slices through a BullMQ queue: a relay puts them in, a worker takes them out. */
export class QueueSource implements SliceSource {
  readonly #options: QueueSourceOptions;
  readonly #producer: Redis;
  readonly #consumer: Redis;
  readonly #queue: Queue<Job>;
  readonly #relay: Relay;
  #worker: Worker<Job> | undefined;
  #sink: SliceSink | undefined;
  /** Whether it is still to be seen if Redis is there. */
  #connecting = true;

  constructor(options: QueueSourceOptions) {
    this.#options = options;
    const { redisUrl, capability, feedOf, feed, limit, log } = options;
    // A command given while Redis is away fails at once here; a worker's waits for its return.
    this.#producer = connect(redisUrl, false, log);
    this.#consumer = connect(redisUrl, true, log);
    this.#queue = new Queue<Job>(queueName(capability, feedOf), { connection: this.#producer });
    this.#queue.on('error', (error) => log.debug({ err: error }, 'feed queue'));
    this.#relay = new Relay({
      feed,
      limit,
      applied: () => this.#sink?.position ?? 0,
      publish: (slice) => this.#publish(slice),
    });
  }

  get working(): boolean {
    return this.#connecting || (this.#producer.status === 'ready' && this.#relay.working);
  }

  get sent(): number {
    return this.#relay.sent;
  }

  async start(sink: SliceSink): Promise<void> {
    this.#sink = sink;
    const { capability, feedOf, log } = this.#options;
    this.#worker = new Worker<Job>(queueName(capability, feedOf), ({ data }) => this.#take(data), {
      connection: this.#consumer,
      concurrency: AT_ONCE,
    });
    this.#worker.on('error', (error) => log.debug({ err: error }, 'feed worker'));
    void this.#begin(sink);
  }

  /** A backlog that is there at the start is not to be carried past a Redis that is about to answer. */
  async #begin(sink: SliceSink): Promise<void> {
    if (this.#producer.status !== 'ready') {
      const answer = new Promise<void>((resolve) => {
        for (const event of ['ready', 'close', 'end']) this.#producer.once(event, resolve);
      });
      await within(CONNECT_MS, answer);
    }
    this.#connecting = false;
    if (this.#sink === sink) this.#relay.start(sink.position);
  }

  kick(): void {
    this.#relay.kick();
  }

  async stop(): Promise<void> {
    this.#sink = undefined;
    await this.#relay.stop();
    // Closing in good order talks to Redis, which may be away.
    const closing = Promise.allSettled([this.#worker?.close(true), this.#queue.close()]);
    await within(CLOSE_MS, closing);
    this.#producer.disconnect();
    this.#consumer.disconnect();
  }

  async #publish(slice: Slice): Promise<void> {
    if (this.#producer.status !== 'ready') throw new Error('Redis is away');
    await this.#queue.add('slice', this.#pack(slice), {
      removeOnComplete: true,
      removeOnFail: true,
    });
  }

  /** Never fails: what could not be applied now is read from the feed when its next try is due. */
  async #take(job: Job): Promise<void> {
    const { capability, feedOf, log } = this.#options;
    // An earlier build's, which does not say what it follows: it is read from the feed once more.
    if (job.before === undefined) return;
    if (!this.#isProved(job)) {
      log.warn({ capability, feedOf }, 'not from this feed, and dropped: a slice in Redis');
      return;
    }
    await this.#sink?.deliver(unpack(job, capability, feedOf)).catch(() => undefined);
  }

  #pack(slice: Slice): Job {
    const { after, upto, before = null } = slice;
    const changes =
      slice instanceof PackedSlice ? slice.lines : slice.changes.map((change) => packedOf(change));
    return { after, upto, before, changes, proof: this.#proofOf({ after, upto, before, changes }) };
  }

  #isProved(job: Job): boolean {
    try {
      const [given, proof] = [Buffer.from(job.proof), Buffer.from(this.#proofOf(job))];
      return given.length === proof.length && timingSafeEqual(given, proof);
    } catch {
      // Not even of a job's form.
      return false;
    }
  }

  #proofOf({ after, upto, before, changes }: Omit<Job, 'proof'>): string {
    const { incarnation, capability, feedOf } = this.#options;
    const proof = createHmac('sha256', incarnation);
    proof.update(JSON.stringify([queueName(capability, feedOf), after, upto, before]));
    if (isList(changes)) return proof.update(JSON.stringify(changes)).digest('base64url');
    for (const name of LINES)
      proof.update(`\n${name} ${changes[name].length}\n`).update(changes[name]);
    return proof.digest('base64url');
  }
}

/** BullMQ connects by itself; a worker waits for its Redis, a producer does not. */
function connect(url: string, patient: boolean, log: Logger): Redis {
  return redisThatMayBeAway(url, log, { lazyConnect: false, enableOfflineQueue: patient });
}

function packedOf(change: Change): PackedRow {
  if (change instanceof PackedChange) return change.packed;
  const { position, tx, table, key, op, image, epoch, at } = change;
  const packed = image === null ? null : encodeRow(image as Row);
  return [position, tx, table, encodeRow(key as Row), op, packed, epoch, at];
}

function unpack(
  { after, upto, before = null, changes }: Job,
  capability: string,
  feedOf: SideName,
): Slice {
  const slice = { capability, feedOf, after, upto, before };
  if (!isList(changes)) return new PackedSlice({ ...slice, lines: changes });
  return { ...slice, changes: changes.map((packed) => new PackedChange(packed)) };
}

function isList(changes: Job['changes']): changes is readonly PackedRow[] {
  return Array.isArray(changes);
}
