import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { migrate, openDatabase, rollback } from '../chassis/index.ts';
import type { Database, Migration } from '../chassis/index.ts';
import { dialects, temporaryDatabase } from '../tests/support/index.ts';
import { schemaText } from './schema-text.ts';

const folder = import.meta.dirname;
const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'index.ts')))
  .map(({ name }) => name);

async function migrationsOf(name: string): Promise<readonly Migration[]> {
  const module = (await import(`./${name}/index.ts`)) as Record<string, readonly Migration[]>;
  const exported = `${name.replace(/-(\w)/g, (_dash, letter: string) => letter.toUpperCase())}Migrations`;
  const list = module[exported];
  if (!list) throw new Error(`migrations/${name}/index.ts exports no ${exported}`);
  return list;
}

const FILES = { sqlite: 'schema.sql', postgres: 'schema.postgres.sql' };
const schemas = names.flatMap((name) => dialects.map((dialect) => [name, dialect] as const));

describe.each(schemas)('the schema of %s on %s', (name, dialect) => {
  let database: Database;
  let migrations: readonly Migration[];

  beforeEach(async () => {
    migrations = await migrationsOf(name);
    database = await temporaryDatabase([], dialect);
  });
  afterEach(() => database.close());

  it('is what is committed beside its migrations (UPDATE_SCHEMAS=1 writes it anew)', async () => {
    await migrate(database, migrations);
    const file = join(folder, name, FILES[dialect]);
    const text = await schemaText(database);
    if (process.env['UPDATE_SCHEMAS'] === '1') writeFileSync(file, text);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('goes up, up again without a change, down to nothing, and up again', async () => {
    await migrate(database, migrations);
    const text = await schemaText(database);
    await migrate(database, migrations);
    expect(await schemaText(database)).toBe(text);
    await rollback(database, migrations, migrations.length);
    expect(await schemaText(database)).toBe('');
    await migrate(database, migrations);
    expect(await schemaText(database)).toBe(text);
  });

  it('is made once by many that start together', async () => {
    const others = await Promise.all(Array.from({ length: 19 }, () => openDatabase(database.url)));
    try {
      await Promise.all([database, ...others].map((each) => migrate(each, migrations)));
      const finished = (await database.read('schema_migrations').pluck('name')) as string[];
      expect(finished.sort()).toEqual(migrations.map((migration) => migration.name).sort());
    } finally {
      await Promise.all(others.map((other) => other.close()));
    }
  });

  it('names its migrations in the order they run in', () => {
    const order = migrations.map((migration) => migration.name);
    expect(order).toEqual(order.toSorted());
  });
});
