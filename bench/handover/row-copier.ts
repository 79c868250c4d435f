import Database from 'better-sqlite3';
import {
  belongs,
  keyOn,
  pairKeyOf,
  resetValues,
  tablesOf,
  translate,
} from '../../strangler/index.ts';
import type { Mapping, Row } from '../../strangler/index.ts';

const LOOK_MS = 10;
const BUSY_MS = 5_000;

type Side = 'legacy' | 'extracted';
type Value = string | number | null;

/** A row that was written on a side, as it was when it was read for the other side. */
interface Image {
  readonly table: string;
  readonly row: Row;
}

/**
 * What many a migration makes do with: triggers note which rows change, and a while later each row
 * is written on the other side as it was, whoever owns it by then. It works in both directions at
 * once and always makes both sides equal; what was written in between is what it overwrites.
 */
export class RowCopier {
  readonly #mapping: Mapping;
  readonly #lagMs: number;
  readonly #databases: Readonly<Record<Side, Database.Database>>;
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #looking: NodeJS.Timeout[];

  constructor(mapping: Mapping, files: Readonly<Record<Side, string>>, lagMs: number) {
    this.#mapping = mapping;
    this.#lagMs = lagMs;
    this.#databases = { legacy: open(files.legacy), extracted: open(files.extracted) };
    for (const side of ['legacy', 'extracted'] as const) this.#install(side);
    this.#looking = [
      setInterval(() => this.#look('legacy', 'extracted'), LOOK_MS),
      setInterval(() => this.#look('extracted', 'legacy'), LOOK_MS),
    ];
  }

  /** Brings every row of the legacy side over, before there is any load. */
  copyAll(): void {
    for (const table of tablesOf(this.#mapping, 'legacy')) {
      this.#databases.legacy.exec(
        `INSERT INTO ${this.#log} (tbl, row) SELECT '${table}', rowid FROM "${table}"`,
      );
    }
  }

  /** Whether every change is on the other side. */
  get idle(): boolean {
    const sides = ['legacy', 'extracted'] as const;
    return this.#timers.size === 0 && sides.every((side) => this.#noted(side).length === 0);
  }

  close(): void {
    for (const timer of [...this.#looking, ...this.#timers]) clearTimeout(timer);
    for (const database of Object.values(this.#databases)) database.close();
  }

  #install(side: Side): void {
    const database = this.#databases[side];
    const { capability } = this.#mapping;
    database.exec(`
      CREATE TABLE IF NOT EXISTS copier_state (copying INTEGER);
      INSERT INTO copier_state SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM copier_state);
      CREATE TABLE ${this.#log} (id INTEGER PRIMARY KEY, tbl TEXT, row INTEGER);`);
    for (const table of tablesOf(this.#mapping, side)) {
      for (const event of ['INSERT', 'UPDATE']) {
        database.exec(`
          CREATE TRIGGER "copier_${capability}_${event}_${table}" AFTER ${event} ON "${table}"
          WHEN (SELECT copying FROM copier_state) = 0
          BEGIN INSERT INTO ${this.#log} (tbl, row) VALUES ('${table}', NEW.rowid); END`);
      }
    }
  }

  get #log(): string {
    return `copier_log_${this.#mapping.capability}`;
  }

  #noted(side: Side): { tbl: string; row: number }[] {
    const sql = `SELECT tbl, row FROM ${this.#log} GROUP BY tbl, row ORDER BY min(id)`;
    return this.#databases[side].prepare(sql).all() as { tbl: string; row: number }[];
  }

  #look(from: Side, to: Side): void {
    const database = this.#databases[from];
    if (database.prepare(`SELECT 1 FROM ${this.#log} LIMIT 1`).get() === undefined) return;
    const images = database.transaction((): Image[] => {
      const noted = this.#noted(from);
      database.exec(`DELETE FROM ${this.#log}`);
      return noted.map(({ tbl, row }) => {
        const found = database.prepare(`SELECT * FROM "${tbl}" WHERE rowid = ?`).get(row);
        return { table: tbl, row: found as Row };
      });
    });
    const batch = images.immediate();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#write(from, to, batch);
    }, this.#lagMs);
    this.#timers.add(timer);
  }

  #write(from: Side, to: Side, images: readonly Image[]): void {
    const database = this.#databases[to];
    const write = database.transaction(() => {
      database.exec('UPDATE copier_state SET copying = 1');
      for (const image of images) this.#writeOne(from, to, image);
      database.exec('UPDATE copier_state SET copying = 0');
    });
    write.immediate();
  }

  #writeOne(from: Side, to: Side, { table, row }: Image): void {
    for (const pair of this.#mapping.pairs) {
      const key = pair[from].table === table ? pairKeyOf(pair, from, row) : undefined;
      if (key === undefined || !belongs(pair, from, row)) continue;
      const where = keyOn(pair, to, key);
      const image = { ...where, ...translate(pair, from, row) };
      if (this.#update(pair[to].table, image, where) === 0) this.#insert(to, pair[to].table, image);
    }
  }

  #update(table: string, image: Row, where: Row): number {
    const side = tablesOf(this.#mapping, 'legacy').includes(table) ? 'legacy' : 'extracted';
    const set = Object.keys(image).map((column) => `"${column}" = ?`);
    const found = Object.keys(where).map((column) => `"${column}" = ?`);
    return this.#databases[side]
      .prepare(`UPDATE "${table}" SET ${set.join(', ')} WHERE ${found.join(' AND ')}`)
      .run(...(Object.values(image) as Value[]), ...(Object.values(where) as Value[])).changes;
  }

  /** What other pairs write in the same row starts with what it falls back to. */
  #insert(side: Side, table: string, image: Row): void {
    const guests = this.#mapping.pairs.filter((pair) => pair[side].table === table);
    const rest = guests.map((pair) => resetValues(pair[side].whenAbsent, image));
    const row: Row = Object.assign({}, ...rest, image);
    const columns = Object.keys(row).map((column) => `"${column}"`);
    this.#databases[side]
      .prepare(
        `INSERT INTO "${table}" (${columns.join()}) VALUES (${columns.map(() => '?').join()})`,
      )
      .run(...(Object.values(row) as Value[]));
  }

  /** Both sides row for row, as far as the mapping reaches; true when they are equal. */
  equal(): boolean {
    return this.#mapping.pairs.every((pair) => {
      const images = (['legacy', 'extracted'] as const).map((side) => this.#images(pair, side));
      return JSON.stringify(images[0]) === JSON.stringify(images[1]);
    });
  }

  #images(pair: Mapping['pairs'][number], side: Side): readonly string[] {
    const sql = `SELECT * FROM "${pair[side].table}"`;
    return (this.#databases[side].prepare(sql).all() as Row[])
      .filter((row) => belongs(pair, side, row))
      .map((row) => {
        const name = pairKeyOf(pair, side, row);
        // In the words of one side, since the same value is written differently on the two.
        const image = side === 'legacy' ? translate(pair, side, row) : ownOf(pair, row);
        return JSON.stringify([name, image]);
      })
      .sort();
  }
}

function ownOf(pair: Mapping['pairs'][number], row: Row): Row {
  const there = translate(pair, 'extracted', row);
  return translate(pair, 'legacy', {
    ...there,
    ...keyOn(pair, 'legacy', pairKeyOf(pair, 'extracted', row) ?? []),
  });
}

function open(file: string): Database.Database {
  const database = new Database(file, { timeout: BUSY_MS });
  database.pragma('foreign_keys = OFF');
  return database;
}
