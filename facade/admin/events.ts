import type { ServerResponse } from 'node:http';
import { errorText, onDraining } from '../../chassis/index.ts';
import type { HttpClient } from '../../chassis/index.ts';
import type { Facts, Status } from './facts.ts';
import { TrafficHistory } from './traffic-history.ts';
import type { Traffic } from './traffic.ts';
import type { TrafficSample } from './traffic-history.ts';

/** Between two readings, in ms: while a page is open, and while none is. */
const STEP_MS = 1_000;
const IDLE_STEP_MS = 2_000;
const ENGINE_MS = 2_000;
/** A page that does not read so much of what it is sent is cut off: it connects again when it can. */
const UNREAD_BYTES = 4_000_000;

/** One event of the stream: everything that a page shows, at one moment. */
export interface ConsoleState {
  /** ms since 1970, by this process's clock. */
  readonly at: number;
  readonly facade: Omit<Status, 'capabilities'> & {
    readonly capabilities: readonly FacadeCapability[];
    readonly traffic: readonly Traffic[];
  };
  /** The engine's own status, as it answers; null while it does not. */
  readonly engine: unknown;
  /** Why the engine's status is missing; null where it is not. */
  readonly engineTrouble: string | null;
  /** Of the step that has just ended; null where none has, as in the first event of a page. */
  readonly sample: TrafficSample | null;
}

/** As in the status, with the number of differences, but not the differences. */
type FacadeCapability = Omit<Status['capabilities'][number], 'experiments'> & {
  readonly experiments: Omit<Status['capabilities'][number]['experiments'], 'mismatches'>;
};

interface EventsDeps {
  readonly facts: Facts;
  readonly engine: HttpClient;
}

/**
 * The stream of events that pages of the console are drawn from. Requests are counted all the time, so that
 * a new page shows the last minutes at once; the engine is asked only while a page is open, once for all.
 */
export class Events {
  readonly #deps: EventsDeps;
  readonly #history = new TrafficHistory();
  readonly #pages = new Set<ServerResponse>();
  #timer: NodeJS.Timeout | undefined;
  #engine: Pick<ConsoleState, 'engine' | 'engineTrouble'> = {
    engine: null,
    engineTrouble: 'it was not asked yet',
  };
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(deps: EventsDeps) {
    this.#deps = deps;
    onDraining(() => this.close());
  }

  start(): void {
    this.#schedule(0);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const page of this.#pages) page.end();
    // A reading that is under way would write to what has ended.
    this.#pages.clear();
  }

  /** Requests, errors and latencies by capability and side. */
  async traffic(): Promise<readonly Traffic[]> {
    return this.#history.present(Date.now(), await this.#deps.facts.traffic());
  }

  /** Sends what happens to a page, until it goes. */
  async open(res: ServerResponse): Promise<void> {
    res.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    res.once('close', () => this.#pages.delete(res));
    res.write('retry: 1000\n\n');
    // The engine was not asked while no page was open.
    if (this.#pages.size === 0 && !this.#isClosed) await this.refresh();
    const state = await this.#state(null);
    // Meanwhile the page may have gone, or this process may have begun to stop.
    if (res.closed) return;
    if (this.#isClosed) {
      res.end();
      return;
    }
    // At once, so that no sample is missed between history and stream.
    res.write(eventOf('history', this.#history.samples));
    res.write(eventOf('state', state));
    // Only the first: pages that come and go would put off the next event of the others for ever.
    if (this.#pages.size === 0) this.#schedule(STEP_MS);
    this.#pages.add(res);
  }

  /** Reads everything now, since an order may have changed it. */
  async refresh(): Promise<void> {
    this.#running ??= this.#read(true).finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      const isWatched = this.#pages.size > 0;
      const work = isWatched ? this.refresh() : this.#read(false);
      void work.catch(() => undefined).finally(() => this.#next());
    }, ms).unref();
  }

  #next(): void {
    this.#schedule(this.#pages.size > 0 ? STEP_MS : IDLE_STEP_MS);
  }

  async #read(askEngine: boolean): Promise<void> {
    if (askEngine) this.#engine = await this.#askEngine();
    // A lag that was read some time ago is not the lag of now.
    const lag = askEngine ? lagOf(this.#engine.engine) : [];
    const counts = await this.#deps.facts.traffic();
    const sample = this.#history.add(Date.now(), counts, lag);
    if (this.#pages.size === 0) return;
    const text = eventOf('state', await this.#state(sample ?? null));
    for (const page of this.#pages) {
      if (page.writableLength > UNREAD_BYTES) page.destroy();
      else page.write(text);
    }
  }

  async #state(sample: TrafficSample | null): Promise<ConsoleState> {
    const [status, traffic] = await Promise.all([this.#deps.facts.status(), this.traffic()]);
    const capabilities = status.capabilities.map(({ experiments, ...capability }) => {
      const { mismatches: _list, ...counts } = experiments;
      return { ...capability, experiments: counts };
    });
    const facade = { ...status, capabilities, traffic };
    return { at: Date.now(), facade, ...this.#engine, sample };
  }

  async #askEngine(): Promise<Pick<ConsoleState, 'engine' | 'engineTrouble'>> {
    try {
      const { status, body } = await this.#deps.engine.call('GET', '/status', {
        timeoutMs: ENGINE_MS,
      });
      if (status === 200) return { engine: body, engineTrouble: null };
      return { engine: null, engineTrouble: `it answers ${status}` };
    } catch (error) {
      return { engine: null, engineTrouble: errorText(error) };
    }
  }
}

function eventOf(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** The part of the engine's status that is kept as a series. */
interface WithLag {
  readonly capabilities?: readonly {
    readonly capability: string;
    readonly lag: { readonly changes: number; readonly ms: number } | null;
  }[];
}

function lagOf(engine: unknown): TrafficSample['lag'] {
  return ((engine as WithLag | null)?.capabilities ?? []).flatMap(({ capability, lag }) =>
    lag === null ? [] : [[capability, lag.changes, lag.ms] as const],
  );
}
