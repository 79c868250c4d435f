import assert from 'node:assert/strict';
import { eventually } from '../support/index.ts';
import type { BookingsStage } from './bookings-stage.ts';
import { exampleFile } from './bookings-stage.ts';
import { sendGuests } from './bookings-guests.ts';
import type { Told } from './bookings-guests.ts';
import { commandsOf } from './page.ts';
import { schemaDump } from './schema-dump.ts';

/** Runs a command that has to succeed. @returns what it printed */
export async function done(stage: BookingsStage, line: string): Promise<string> {
  const { code, stdout, stderr } = await stage.fig(...line.split(' '));
  if (code === 0) return stdout;
  throw new Error(`fig ${line} ended with ${code}:\n${stdout}${stderr}`);
}

/** Runs a command again until it succeeds: a gate may have to wait for the load. */
function doneInTheEnd(stage: BookingsStage, line: string): Promise<string> {
  return eventually(() => done(stage, line), { timeoutMs: 60_000 });
}

/**
 * Moves rooms and bookings out and back while guests book, by the commands of `docs/your-own-monolith.md` alone; then
 * takes Fig out again.
 * @param guests how many send requests at once
 * @param turns how many requests they send between two commands
 * @returns what the guests were told
 */
export async function moveForwardAndBack(
  stage: BookingsStage,
  { guests: count, turns }: { readonly guests: number; readonly turns: number },
): Promise<Told> {
  const before = {
    legacy: await schemaDump(stage.urls.legacy),
    extracted: await schemaDump(stage.urls.extracted),
  };
  const nightly = await exampleFile('nightly.sql');
  const [flagsInit = '', ...forward] = await commandsOf('Move');
  const back = await commandsOf('And back');
  await done(stage, flagsInit);
  const told = await stage.withFigRunning(async (facadeUrl) => {
    const guests = sendGuests(facadeUrl, count);
    const meanwhile = async (): Promise<void> => {
      const until = guests.answered() + turns;
      await eventually(() => guests.answered() >= until, { timeoutMs: 60_000 });
    };
    try {
      await meanwhile();
      for (const command of forward) {
        await doneInTheEnd(stage, command);
        if (command.startsWith('backfill')) await stage.sql('legacy', nightly);
        await meanwhile();
      }
      // Nobody told cron: the job finds the fence, and has no effect.
      await assert.rejects(stage.sql('legacy', nightly), /FENCED/);
      for (const command of back.slice(0, -1)) await doneInTheEnd(stage, command);
      await meanwhile();
      await stage.sql('legacy', nightly);
    } finally {
      await guests.stop();
    }
    await doneInTheEnd(stage, 'reconcile bookings');
    return guests.stop();
  });
  await done(stage, back.at(-1) ?? '');
  assert.equal(await schemaDump(stage.urls.legacy), before.legacy);
  assert.equal(await schemaDump(stage.urls.extracted), before.extracted);
  return told;
}

/** Both databases, and what guests were told, have to say the same. */
export async function assertSameBookings(stage: BookingsStage, told: Told): Promise<void> {
  assert.deepEqual(told.failures, []);
  const tables = ['rooms', 'room_closures', 'bookings', 'booking_nights'];
  const counts = tables.map((table) => `(SELECT count(*)::int FROM ${table}) AS ${table}`);
  const count = `SELECT ${counts.join(', ')}`;
  assert.deepEqual(await stage.sql('extracted', count), await stage.sql('legacy', count));
  const ids = [...told.bookings.keys(), 0].join(', ');
  const rows = await stage.sql<{ id: string; status: string }>(
    'legacy',
    `SELECT id, status FROM bookings WHERE id IN (${ids})`,
  );
  const kept = new Map(rows.map(({ id, status }) => [Number(id), status]));
  assert.deepEqual(kept, told.bookings);
}
