import { openDatabase } from '../../chassis/index.ts';
import type { Knex } from '../../chassis/index.ts';
import { wentWell } from './ledger.ts';
import type { RecordedRequest } from './ledger.ts';
import { LOADED } from './shop.ts';

/** What the stored state says about what clients were told. */
export interface Verdict {
  readonly failed: number;
  readonly examples: readonly string[];
  /** Acknowledged adjustments and payments that are not stored. */
  readonly lostWrites: number;
  /** Writes, acknowledged or not, that are stored or charged more than once. */
  readonly doubleEffects: number;
  /** By how much the stock differs from what was loaded and the stored or acknowledged changes. */
  readonly lostUnits: number;
  readonly acknowledgedUnits: number;
}

interface Stored {
  readonly stock: ReadonlyMap<string, number>;
  /** How often each key's effect is stored. */
  readonly adjustments: ReadonlyMap<string, number>;
  readonly payments: ReadonlyMap<string, number>;
  readonly charges: ReadonlyMap<string, number>;
}

/** Holds the ledger against what the monolith stores, which has to be the owner of everything. */
export async function judge(
  ledger: readonly RecordedRequest[],
  monolithUrl: string,
  providerUrl: string,
): Promise<Verdict> {
  const stored = await readStored(monolithUrl, providerUrl);
  const failed = ledger.filter((told) => !wentWell(told));
  const writes = ledger.filter(({ kind }) => kind !== 'read');
  const effects = (told: RecordedRequest): readonly number[] =>
    told.kind === 'adjustment'
      ? [stored.adjustments.get(told.key) ?? 0]
      : [stored.payments.get(told.key) ?? 0, stored.charges.get(told.key) ?? 0];
  const acknowledged = writes.filter(wentWell);
  return {
    failed: failed.length,
    examples: [...new Set(failed.map(({ detail, status }) => `${status} ${detail}`))].slice(0, 5),
    lostWrites: acknowledged.filter((told) => effects(told).includes(0)).length,
    doubleEffects: writes.filter((told) => effects(told).some((count) => count > 1)).length,
    ...unitsOf(writes, stored),
  };
}

function unitsOf(
  writes: readonly RecordedRequest[],
  { stock, adjustments }: Stored,
): Pick<Verdict, 'lostUnits' | 'acknowledgedUnits'> {
  const expected = new Map([...stock.keys()].map((sku) => [sku, LOADED]));
  let acknowledgedUnits = 0;
  for (const told of writes) {
    if (told.kind !== 'adjustment') continue;
    if (wentWell(told)) acknowledgedUnits += Math.abs(told.amount);
    // One whose client does not know may have taken effect: then it has to be in the stock, too.
    else if (!adjustments.has(told.key)) continue;
    expected.set(told.sku, (expected.get(told.sku) ?? 0) + told.amount);
  }
  const off = [...expected].map(([sku, units]) => Math.abs(units - (stock.get(sku) ?? 0)));
  return { lostUnits: off.reduce((sum, units) => sum + units, 0), acknowledgedUnits };
}

async function readStored(databaseUrl: string, providerUrl: string): Promise<Stored> {
  const database = await openDatabase(databaseUrl);
  try {
    const { read } = database;
    const counts = async (query: Knex.QueryBuilder, by: string): Promise<Map<string, number>> => {
      const rows = (await query.select({ of: by }).count({ count: '*' }).groupBy(by)) as {
        of: string;
        count: number;
      }[];
      return new Map(rows.map(({ of, count }) => [of, count]));
    };
    const stock = (await read('INV_STOCK').select('SKU_CD', 'QTY_OH')) as {
      SKU_CD: string;
      QTY_OH: number;
    }[];
    return {
      stock: new Map(stock.map(({ SKU_CD: sku, QTY_OH: units }) => [sku, units])),
      adjustments: await counts(read('INV_ADJ'), 'RSN_TXT'),
      payments: await counts(read('PAY_TXN').where({ STAT_CD: 'S' }), 'ORD_NO'),
      charges: await chargesOf(providerUrl),
    };
  } finally {
    await database.close();
  }
}

/** How often each order was charged, by the card processor's own books. */
async function chargesOf(providerUrl: string): Promise<ReadonlyMap<string, number>> {
  const answer = await fetch(`${providerUrl}/ledger`);
  const { charges } = (await answer.json()) as { charges: readonly { reference: string }[] };
  const counts = new Map<string, number>();
  for (const { reference } of charges) counts.set(reference, (counts.get(reference) ?? 0) + 1);
  return counts;
}
