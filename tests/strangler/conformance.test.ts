import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parseSample, runConformance, Service } from '../../strangler/conformance/index.ts';
import type { CheckResult } from '../../strangler/conformance/index.ts';
import { openScratch } from '../../strangler/sides/sides.ts';
import {
  built,
  dialects,
  inSoak,
  temporaryPostgresDatabase,
  withTempDir,
} from '../support/index.ts';
import { createNotes, FAULTS, openKnex } from './support/notes-service.ts';

/** What each fault is found by; others may find it, too. */
const FOUND_BY: Readonly<Record<(typeof FAULTS)[number], readonly string[]>> = {
  'no-fence': ['write_closed', 'write_ceded', 'write_across_close', 'without_fence'],
  'fence-before-transaction': ['write_across_close'],
  'fence-not-held': ['write_across_close'],
  conflict: ['write_closed', 'write_ceded'],
  'bare-421': ['write_closed', 'write_ceded'],
  'no-fences': ['fences', 'fences_now'],
  'remembered-fences': ['fences_now'],
  trace: ['write_closed', 'write_ceded'],
  'refusal-first': ['decided_by_read'],
  'fence-for-reads': ['read_closed'],
  'key-ignored': ['key_repeated'],
  'key-keeps-refusal': ['key_after_refusal'],
  'key-raced': ['key_at_once'],
  'whole-fence-only': ['fence_of_key'],
  'open-without-fence': ['without_fence'],
};
/** On SQLite a transaction that reads the fence holds it: no other one can commit to what it has read. */
const NO_FAULT = { sqlite: new Set(['fence-not-held']), postgres: new Set<string>() };

interface Running {
  readonly url: string;
  readonly database: string;
}

async function withNotes(
  dialect: 'sqlite' | 'postgres',
  use: (running: Running) => Promise<void>,
): Promise<void> {
  const on = async (database: string): Promise<void> => {
    const knex = openKnex(database);
    await createNotes(knex).finally(() => void knex.destroy());
    const program = built(new URL('support/notes-service.ts', import.meta.url));
    const child = fork(program, { env: { ...process.env, NOTES_DATABASE: database } });
    try {
      const [{ port }] = (await once(child, 'message')) as [{ port: number }];
      await use({ url: `http://127.0.0.1:${port}`, database });
    } finally {
      child.disconnect();
      await once(child, 'exit');
    }
  };
  if (dialect === 'sqlite') return withTempDir((folder) => on(`file:${join(folder, 'notes.db')}`));
  const { url, drop } = await temporaryPostgresDatabase();
  try {
    await on(url);
  } finally {
    await drop();
  }
}

async function conformanceOf(
  { url, database }: Running,
  fault?: string,
): Promise<readonly CheckResult[]> {
  const scratch = openScratch(database);
  try {
    return await runConformance({
      service: new Service(url, fault === undefined ? {} : { 'x-fault': fault }),
      capability: 'notes',
      token: {},
      test: {
        scratch,
        write: parseSample('POST /notes {"id": "{unique}", "owner": "A"}'),
        read: parseSample('GET /notes'),
        refusedWrite: parseSample('POST /notes {"id": "{unique}", "owner": ""}'),
        cohortKey: 'A',
        keys: true,
        isMonolith: false,
        leftOut: new Set(),
      },
    });
  } finally {
    await scratch.close();
  }
}

const failing = (results: readonly CheckResult[]): readonly string[] =>
  results.filter(({ verdict }) => verdict === 'failed').map(({ check }) => check);

describe.each(inSoak(dialects, ['sqlite']))('conformance of a service on %s', (dialect) => {
  it('is given to one that keeps the protocol, and refused for each single fault', () =>
    withNotes(dialect, async (running) => {
      const good = await conformanceOf(running);
      expect(good.filter(({ verdict }) => verdict !== 'passed')).toEqual([]);
      const tried = inSoak<readonly (keyof typeof FOUND_BY)[]>(FAULTS, [
        'no-fence',
        'fence-before-transaction',
        'key-ignored',
      ]);
      const faults = tried.filter((fault) => !NO_FAULT[dialect].has(fault));
      for (const fault of faults) {
        const found = failing(await conformanceOf(running, fault));
        const wanted = FOUND_BY[fault];
        expect([fault, wanted.filter((check) => !found.includes(check))]).toEqual([fault, []]);
      }
      // Nothing of a run is left, whatever it has found.
      const scratch = openScratch(running.database);
      expect(await scratch.foreignTables()).toEqual([]);
      await scratch.close();
    }));
});
