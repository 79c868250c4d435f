import { useEffect, useState } from 'preact/hooks';
import type { ConsoleState, TrafficSample } from '../facade/admin/index.ts';
import type { EngineStatus } from '../strangler/engine/index.ts';

/** How far back the page keeps what it was sent. */
const KEPT_MS = 15 * 60_000;
/** The stream sends each second; a page that has heard nothing for so long shows what it has as old. */
const SILENT_MS = 4_000;
const RETRY_MS = 2_000;
/** A stream that has been silent for so long is gone, though no error says so: it is opened anew. */
const GONE_MS = 12_000;

/** All that the page knows. It is drawn from nothing else. */
export interface Live {
  readonly state: ConsoleState | null;
  /** The engine's last status, and when it was read, by this browser's clock; kept while it does not answer. */
  readonly engine: { readonly status: EngineStatus; readonly at: number } | null;
  readonly samples: readonly TrafficSample[];
  /** When the last event came, by this browser's clock. */
  readonly heardAt: number;
  readonly connection: 'connecting' | 'live' | 'lost' | 'signed out';
  /** How far the facade's clock is ahead of this browser's, in ms. */
  readonly ahead: number;
}

let live: Live = {
  state: null,
  engine: null,
  samples: [],
  heardAt: 0,
  connection: 'connecting',
  ahead: 0,
};
const listeners = new Set<() => void>();
let source: EventSource | undefined;
let openedAt = 0;

function change(part: Partial<Live>): void {
  live = { ...live, ...part };
  for (const listener of listeners) listener();
}

/** Listens to the admin port, and goes on trying while it does not answer. */
export function connect(): void {
  source?.close();
  const stream = new EventSource('/events');
  source = stream;
  openedAt = Date.now();
  stream.addEventListener('history', ({ data }: MessageEvent<string>) => {
    change({ samples: JSON.parse(data) as TrafficSample[] });
  });
  stream.addEventListener('state', ({ data }: MessageEvent<string>) => {
    hear(JSON.parse(data) as ConsoleState);
  });
  stream.addEventListener('error', () => {
    if (source === stream) void lose();
  });
}

setInterval(() => {
  if (source && Date.now() - Math.max(openedAt, live.heardAt) > GONE_MS) void lose();
}, 1_000);

function hear(state: ConsoleState): void {
  const now = Date.now();
  const { sample } = state;
  const samples =
    sample === null
      ? live.samples
      : [...live.samples, sample].filter(({ at }) => at > sample.at - KEPT_MS);
  const status = state.engine as EngineStatus | null;
  const engine = status === null ? live.engine : { status, at: now };
  const ahead = state.at - now;
  change({ state, engine, samples, heardAt: now, connection: 'live', ahead });
}

/** A facade that was started again knows no sessions: the page says so, and waits to be let in. */
async function lose(): Promise<void> {
  source?.close();
  source = undefined;
  // A machine that is away would keep the page waiting for minutes.
  const options = { signal: AbortSignal.timeout(SILENT_MS) };
  const answer = await fetch('/holds?since=999999999999', options).catch(() => undefined);
  change({ connection: answer?.status === 401 ? 'signed out' : 'lost' });
  setTimeout(connect, RETRY_MS);
}

/** What the page knows; draws anew when it changes. */
export function useLive(): Live {
  const [known, setKnown] = useState(live);
  useEffect(() => {
    const listener = (): void => setKnown(live);
    listeners.add(listener);
    listener();
    return () => void listeners.delete(listener);
  }, []);
  return known;
}

/** The time, ticking: for ages. By the clock of the facade, which dates everything. */
export function useNow(everyMs = 1_000): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now + live.ahead;
}

/** Why figures must not be taken as those of now; null while they may. */
export function staleness({ connection, heardAt }: Live, now: number): number | null {
  const quiet = now - heardAt;
  if (heardAt === 0 || (connection === 'live' && quiet < SILENT_MS)) return null;
  return quiet;
}
