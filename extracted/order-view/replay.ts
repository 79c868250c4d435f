import { setTimeout as delay } from 'node:timers/promises';
import { errorText } from '../../chassis/index.ts';
import type { Database, Logger } from '../../chassis/index.ts';
import { readArchive } from './archives.ts';
import type { Archive } from './archives.ts';
import { deleteFormer, giveUp, listProjections, swap } from './generations.ts';
import { project, PROJECTION } from './projection.ts';

interface ReplayOptions {
  readonly database: Database;
  /** Of all that publish, each of them. */
  readonly archives: readonly Archive[];
  readonly log: Logger;
  readonly pollMs?: number;
  readonly pageSize?: number;
}

interface Cursor {
  readonly archive: string;
  readonly position: number;
  readonly head: number;
}

const PAUSE_WHEN_AWAY_MS = 1_000;
/** Longer than a read takes that has begun with the generation before. */
const READS_MS = 30_000;

/**
 * Builds generations that were asked for: replays the archives as they were when it was begun, while what happens since
 * is applied by the subscriber, and shows the new generation when all is in. It goes on where a process was killed.
 * @returns stops it
 */
export function startReplay(options: ReplayOptions): () => Promise<void> {
  const { database, archives, log, pollMs = 250, pageSize = 500 } = options;
  const stopping = new AbortController();
  /** The generation before which none is left. */
  let formerDeletedAt: number | undefined;

  async function cursorOf(archive: Archive, building: number): Promise<Cursor | undefined> {
    const key = { projection: PROJECTION, archive: archive.name };
    const known = (await database.read('replay_cursors').where(key).first()) as Cursor | undefined;
    if (known) return known;
    const { head, isComplete } = await readArchive(archive, 0, 1);
    // The first generation of all takes what there is.
    if (!isComplete && building > 1) {
      const why = `the archive of ${archive.name} is not complete: events were deleted (EVENTS_KEPT_DAYS)`;
      await giveUp(database, building, why);
      log.error(`a rebuild was given up: ${why}`);
      return undefined;
    }
    if (!isComplete) log.warn({ archive: archive.name }, 'built from what the archive still has');
    const cursor = { archive: archive.name, position: 0, head };
    await database.transaction((trx) =>
      trx('replay_cursors')
        .insert({ projection: PROJECTION, ...cursor })
        .onConflict(['projection', 'archive'])
        .ignore(),
    );
    return cursor;
  }

  /** @returns whether all of this archive is in; undefined when the rebuild was given up */
  async function page(archive: Archive, building: number): Promise<boolean | undefined> {
    const cursor = await cursorOf(archive, building);
    if (!cursor) return undefined;
    const { position, head } = cursor;
    if (position >= head) return true;
    const { events } = await readArchive(archive, position, pageSize);
    const last = events.at(-1)?.sequence ?? head;
    await database.transaction(async (trx) => {
      for (const { event } of events) await project(trx, building, event);
      await trx('replay_cursors')
        .where({ projection: PROJECTION, archive: archive.name })
        .update({ position: last });
    });
    return last >= head;
  }

  /** @returns whether there may be more to do at once */
  async function step(): Promise<boolean> {
    const [state] = await listProjections(database.read);
    if (!state) return false;
    const { building, live, finishedAt } = state;
    if (building === null) {
      if (live === formerDeletedAt || Date.now() - (finishedAt ?? 0) < READS_MS) return false;
      await deleteFormer(database, live);
      formerDeletedAt = live;
      return false;
    }
    let isDone = true;
    for (const archive of archives) {
      const isIn = await page(archive, building);
      if (isIn === undefined) return false;
      isDone &&= isIn;
    }
    if (!isDone) return true;
    await swap(database, building);
    log.info(
      { projection: PROJECTION, generation: building },
      'a projection was built, and is shown',
    );
    return false;
  }

  async function run(): Promise<void> {
    const { signal } = stopping;
    const pause = (ms: number) =>
      delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
    let trouble: string | undefined;
    while (!signal.aborted) {
      try {
        const more = await step();
        trouble = undefined;
        if (!more) await pause(pollMs);
      } catch (error) {
        const text = errorText(error);
        if (text !== trouble) log.warn({ err: error }, 'a projection waits for an archive');
        trouble = text;
        await pause(PAUSE_WHEN_AWAY_MS);
      }
    }
  }

  const running = run();
  return async () => {
    stopping.abort();
    await running;
  };
}
