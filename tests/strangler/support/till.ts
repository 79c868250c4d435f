import type { DataDeclaration } from '../../../strangler/engine/index.ts';
import { defineMapping, rename } from '../../../strangler/mapping/index.ts';
import type { SideName } from '../../../routing/side.ts';

/** A mapping whose every table says whose a row is, so that single customers may move ahead. */
export const till = defineMapping({
  capability: 'till',
  cohortKey: { legacy: 'CUST_NO', extracted: 'customer_id' },
  pairs: [
    {
      name: 'sales',
      legacy: { table: 'SALE' },
      extracted: { table: 'sales' },
      key: [rename('SALE_NO', 'id')],
      columns: [
        rename('CUST_NO', 'customer_id'),
        rename('REF', 'reference'),
        rename('AMT', 'amount'),
      ],
    },
    {
      name: 'items',
      partOf: { pair: 'sales', by: ['SALE_NO'] },
      legacy: { table: 'ITEM' },
      extracted: { table: 'items' },
      key: [rename('SALE_NO', 'sale_id'), rename('NO', 'no')],
      columns: [rename('CUST_NO', 'customer_id'), rename('WHAT', 'what')],
    },
  ],
});

/** The till, of which single customers may move. */
export function tillDeclaration(urls: DataDeclaration['urls']): DataDeclaration {
  return { urls, mapping: till, cohorts: { header: 'x-customer-id' } };
}

/** Both sides' schemas, for either dialect. */
export const tillSchema: Readonly<Record<SideName, string>> = {
  legacy: `
    CREATE TABLE "SALE" ("SALE_NO" TEXT NOT NULL PRIMARY KEY, "CUST_NO" TEXT NOT NULL,
      "REF" TEXT UNIQUE, "AMT" INTEGER NOT NULL);
    CREATE TABLE "ITEM" ("SALE_NO" TEXT NOT NULL, "NO" INTEGER NOT NULL, "CUST_NO" TEXT NOT NULL,
      "WHAT" TEXT, PRIMARY KEY ("SALE_NO", "NO"));`,
  extracted: `
    CREATE TABLE sales (id TEXT NOT NULL PRIMARY KEY, customer_id TEXT NOT NULL,
      reference TEXT UNIQUE, amount INTEGER NOT NULL);
    CREATE TABLE items (sale_id TEXT NOT NULL, no INTEGER NOT NULL, customer_id TEXT NOT NULL,
      what TEXT, PRIMARY KEY (sale_id, no));`,
};
