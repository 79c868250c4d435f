import { dialectOf, openDatabase } from '../../chassis/index.ts';
import type { Database, Knex, Transaction } from '../../chassis/index.ts';
import {
  belongs,
  keyOn,
  pairKeyOf,
  resetValues,
  tablesOf,
  translate,
} from '../../strangler/index.ts';
import type { Mapping, Row } from '../../strangler/index.ts';
import { installCopier, LOG, noteAll, STATE } from './row-copier-triggers.ts';

const LOOK_MS = 10;
/** At the most, in one transaction of the other side. */
const TOGETHER = 500;

type Side = 'legacy' | 'extracted';
const SIDES = ['legacy', 'extracted'] as const;

/** A row that was written on a side, as it was then. */
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
  readonly #databases: Readonly<Record<Side, Database>>;
  #going = true;
  /** Changes that were read and are not written yet. */
  #underWay = 0;
  #looking: readonly Promise<void>[] = [];
  #failure: unknown;

  private constructor(
    mapping: Mapping,
    databases: Readonly<Record<Side, Database>>,
    lagMs: number,
  ) {
    this.#mapping = mapping;
    this.#lagMs = lagMs;
    this.#databases = databases;
  }

  /** Installs it, and brings every row of the legacy side over; there must be no load yet. */
  static async start(
    mapping: Mapping,
    urls: Readonly<Record<Side, string>>,
    lagMs: number,
  ): Promise<RowCopier> {
    const databases = {
      legacy: await openDatabase(urls.legacy),
      extracted: await openDatabase(urls.extracted),
    };
    const copier = new RowCopier(mapping, databases, lagMs);
    const { capability } = mapping;
    for (const side of SIDES) {
      await copier.#databases[side].transaction((trx) =>
        installCopier(trx, dialectOf(urls[side]), { capability, tables: tablesOf(mapping, side) }),
      );
    }
    await copier.#databases.legacy.transaction((trx) =>
      noteAll(trx, dialectOf(urls.legacy), { capability, tables: tablesOf(mapping, 'legacy') }),
    );
    copier.#looking = [copier.#carry('legacy', 'extracted'), copier.#carry('extracted', 'legacy')];
    return copier;
  }

  /** Whether every change is on the other side. @throws what has stopped the copying */
  async idle(): Promise<boolean> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#underWay > 0) return false;
    for (const side of SIDES) {
      if (await this.#databases[side].read(this.#log).first()) return false;
    }
    return this.#underWay === 0;
  }

  async close(): Promise<void> {
    this.#going = false;
    await Promise.all(this.#looking);
    for (const side of SIDES) await this.#databases[side].close();
  }

  get #log(): string {
    return LOG(this.#mapping.capability);
  }

  /** Looks for changes, and writes each batch when its time has come, in the order they were made. */
  async #carry(from: Side, to: Side): Promise<void> {
    const batches: { readonly dueAt: number; readonly images: readonly Image[] }[] = [];
    try {
      while (this.#going) {
        const images = await this.#take(from);
        if (images.length > 0) batches.push({ dueAt: performance.now() + this.#lagMs, images });
        while (batches[0] && batches[0].dueAt <= performance.now()) {
          const batch = batches.shift();
          await this.#write(from, to, batch?.images ?? []);
          this.#underWay -= batch?.images.length ?? 0;
        }
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    } catch (error) {
      this.#failure = error;
    }
  }

  async #take(from: Side): Promise<readonly Image[]> {
    const database = this.#databases[from];
    if (!(await database.read(this.#log).first())) return [];
    return database.transaction(async (trx) => {
      const noted = (await trx(this.#log).orderBy('id').limit(TOGETHER)) as {
        id: number;
        tbl: string;
        image: string;
      }[];
      const ids = noted.map(({ id }) => id);
      await trx(this.#log).whereIn('id', ids).delete();
      this.#underWay += noted.length;
      return noted.map(({ tbl, image }) => ({ table: tbl, row: JSON.parse(image) as Row }));
    });
  }

  async #write(from: Side, to: Side, images: readonly Image[]): Promise<void> {
    const state = STATE(this.#mapping.capability);
    await this.#databases[to].transaction(async (trx) => {
      await trx(state).update({ copying: 1 });
      for (const image of images) await this.#writeOne(trx, from, to, image);
      await trx(state).update({ copying: 0 });
    });
  }

  async #writeOne(trx: Transaction, from: Side, to: Side, { table, row }: Image): Promise<void> {
    for (const pair of this.#mapping.pairs) {
      const key = pair[from].table === table ? pairKeyOf(pair, from, row) : undefined;
      if (key === undefined || !belongs(pair, from, row)) continue;
      const where = keyOn(pair, to, key);
      const image = { ...where, ...translate(pair, from, row) };
      const found = await trx(pair[to].table).where(where).update(image);
      if (found === 0) await trx(pair[to].table).insert(this.#whole(to, pair[to].table, image));
    }
  }

  /** What other pairs write in the same row starts with what it falls back to. */
  #whole(side: Side, table: string, image: Row): Row {
    const columnPairs = this.#mapping.pairs.filter((pair) => pair[side].table === table);
    const rest = columnPairs.map((pair) => resetValues(pair[side].resetTo, image));
    return Object.assign({}, ...rest, image) as Row;
  }

  /** Both sides row for row, as far as the mapping reaches; true when they are equal. */
  async equal(): Promise<boolean> {
    for (const pair of this.#mapping.pairs) {
      const [legacy, extracted] = await Promise.all(
        SIDES.map((side) => this.#images(pair, side, this.#databases[side].read)),
      );
      if (JSON.stringify(legacy) !== JSON.stringify(extracted)) return false;
    }
    return true;
  }

  async #images(
    pair: Mapping['pairs'][number],
    side: Side,
    read: Knex,
  ): Promise<readonly string[]> {
    return (await read<Row>(pair[side].table))
      .filter((row) => belongs(pair, side, row))
      .map((row) => {
        const name = pairKeyOf(pair, side, row);
        // In the words of one side, since the same value is written differently on the two.
        const image = side === 'legacy' ? translate(pair, side, row) : ownOf(pair, row);
        return JSON.stringify([name, image]);
      })
      .toSorted();
  }
}

function ownOf(pair: Mapping['pairs'][number], row: Row): Row {
  const there = translate(pair, 'extracted', row);
  return translate(pair, 'legacy', {
    ...there,
    ...keyOn(pair, 'legacy', pairKeyOf(pair, 'extracted', row) ?? []),
  });
}
