import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { migrate, openDatabase } from '../../chassis/index.ts';
import type { Database } from '../../chassis/index.ts';
import { inventoryMapping } from '../../migrations/inventory/mapping.ts';
import { inventoryMigrations } from '../../migrations/inventory/index.ts';
import { monolithMigrations } from '../../migrations/monolith/index.ts';
import { openSides } from '../../strangler/index.ts';
import { startSystem, withoutSystem } from '../../system/index.ts';
import { dialectsOfRun, temporaryDatabase, withTempDir } from '../support/index.ts';

/** A change of the business's schema that this build has never heard of. */
async function addMigration(database: Database): Promise<void> {
  await database.transaction(async (trx) => {
    await trx('schema_migrations').insert({ name: '9999-later', finished_at: '2030-01-01' });
  });
}

/** Tables of Fig as a later build might have them. */
async function raiseLedger(database: Database): Promise<void> {
  await database.transaction(async (trx) => {
    if (!(await trx.schema.hasTable('fig_version'))) {
      await trx.raw('CREATE TABLE fig_version (id INTEGER PRIMARY KEY, version INTEGER NOT NULL)');
      await trx('fig_version').insert({ id: 1, version: 2 });
    }
    await trx('fig_version').update({ version: 2 });
  });
}

/** Name and content of every file. */
function bytesOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files
      // An index of the log, made anew by whoever opens the file.
      .filter(({ name }) => !name.endsWith('-shm'))
      .map(({ name }) => [
        name,
        createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex'),
      ]),
  );
}

describe.each([
  ['schema', addMigration, 'it has migration 9999-later'],
  ['tables of Fig', raiseLedger, "it has version 2 of Fig's tables (this one knows 1)"],
])('a data folder with a newer %s', (_what, change, told) => {
  it('is refused by name before anything starts, and not a byte of it changes', () =>
    withTempDir(async (parent) => {
      const [written, dataDir] = [join(parent, 'written'), join(parent, 'killed')];
      mkdirSync(written);
      const database = await openDatabase(`file:${join(written, 'monolith.db')}`);
      try {
        await migrate(database, monolithMigrations);
        await change(database);
        // What was committed last is in its log only, as after a kill.
        cpSync(written, dataDir, { recursive: true, filter: (path) => !path.endsWith('-shm') });
      } finally {
        await database.close();
      }
      const before = bytesOf(dataDir);
      expect(Object.keys(before)).toContain('monolith.db-wal');
      const env = withoutSystem(process.env);
      const starting = startSystem({ dataDir, ports: 'free', env });
      await expect(starting).rejects.toMatchObject({
        name: 'ConfigurationError',
        message: expect.stringContaining(`${join(dataDir, 'monolith.db')}: ${told}`),
      });
      expect(bytesOf(dataDir)).toEqual(before);
    }));
});

describe.each(dialectsOfRun)('a database on %s that a newer build has written', (dialect) => {
  it('is refused by the service that would migrate it, which changes nothing', async () => {
    const database = await temporaryDatabase(inventoryMigrations.slice(0, 1), dialect);
    try {
      await addMigration(database);
      const before = await database.read('schema_migrations').pluck('name');
      await expect(migrate(database, inventoryMigrations)).rejects.toThrow('migration 9999-later');
      expect(await database.read('schema_migrations').pluck('name')).toEqual(before);
    } finally {
      await database.close();
    }
  });

  it('is refused by the engine and by fig, which look at the version of its tables first', async () => {
    const legacy = await temporaryDatabase(monolithMigrations, dialect);
    const extracted = await temporaryDatabase(inventoryMigrations, dialect);
    const urls = { legacy: legacy.url, extracted: extracted.url };
    const sides = openSides(inventoryMapping, urls);
    try {
      await sides.legacy.install();
      expect(await legacy.read('fig_version')).toEqual([{ id: 1, version: 1 }]);
      await sides.legacy.install();
      await raiseLedger(legacy);
      const refused = "it has version 2 of Fig's tables";
      await expect(sides.legacy.install()).rejects.toThrow(refused);
      await expect(sides.legacy.installation()).rejects.toThrow(refused);
      await expect(migrate(legacy, monolithMigrations)).rejects.toThrow(refused);
      expect(await legacy.read('fig_version')).toEqual([{ id: 1, version: 2 }]);
    } finally {
      await Promise.all([sides.legacy.close(), sides.extracted.close()]);
      await Promise.all([legacy.close(), extracted.close()]);
    }
  });
});
