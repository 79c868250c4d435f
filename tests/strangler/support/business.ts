import type Database from 'better-sqlite3';
import type { Dialect } from '../../../chassis/index.ts';
import type { SideName } from '../../../routing/side.ts';
import { contentOfExtracted, expectedOfLegacy } from './history.ts';
import { postgresShopSchema } from './postgres-shop.ts';
import type { TableWords } from './postgres-words.ts';
import { shopSchema } from './shop.ts';

export type Queries = Readonly<Record<string, string>>;

/** A business whose tables are moved, in the words of both dialects. */
export interface Business {
  readonly schemas: Readonly<Record<Dialect, Readonly<Record<SideName, string>>>>;
  readonly tables: Readonly<Record<string, TableWords>>;
  /** What the extracted tables hold, or must hold for what the legacy ones do. */
  readonly onSqlite: (
    side: SideName,
    prompt: Database.Database,
  ) => Readonly<Record<string, unknown[]>>;
  readonly onPostgres: Readonly<Record<SideName, Queries>>;
}

const shopTables: Business['tables'] = {
  STOCK: { key: ['SKU'], rest: ['QTY', 'RSV', 'NOTE'] },
  LINES: { key: ['DOC', 'NO'], rest: ['SLUG', 'DATA'] },
  PAY: { key: ['PAY_NO'], rest: ['AMT', 'STAT', 'CRT', 'UPD'] },
  RFND: { key: ['RFND_NO'], rest: ['PAY_NO', 'AMT', 'STAT', 'CRT', 'UPD'] },
  levels: { key: ['sku'], rest: ['on_hand', 'note'] },
  holds: { key: ['sku'], rest: ['reserved'] },
  lines: { key: ['doc', 'no'], rest: ['slug', 'data'] },
  payments: { key: ['id'], rest: ['amount', 'created_at'] },
  entries: { key: ['payment_id', 'entry_id'], rest: ['kind', 'amount', 'at'] },
};

const ms = (column: string): string =>
  `CASE WHEN isfinite("${column}") THEN round(extract(epoch FROM "${column}") * 1000)::bigint END`;
const minor = `CASE WHEN "AMT" <> 'NaN' THEN replace("AMT"::text, '.', '')::bigint END`;

const shopContent: Readonly<Record<SideName, Queries>> = {
  legacy: {
    levels: 'SELECT "SKU", "QTY", "NOTE" FROM "STOCK"',
    holds: 'SELECT "SKU", "RSV" FROM "STOCK"',
    lines: 'SELECT * FROM "LINES"',
    payments: `SELECT "PAY_NO", ${minor}, ${ms('CRT')} FROM "PAY"`,
    entries: `SELECT "PAY_NO", 'settlement', CASE "STAT" WHEN 'S' THEN 'captured' ELSE 'declined' END,
        ${minor}, ${ms('UPD')} FROM "PAY" WHERE "STAT" <> 'P'
      UNION ALL SELECT "PAY_NO", 'refund:' || "RFND_NO", 'refund_requested', ${minor}, ${ms('CRT')}
        FROM "RFND"
      UNION ALL SELECT "PAY_NO", 'refunded:' || "RFND_NO", 'refunded', ${minor}, ${ms('UPD')}
        FROM "RFND" WHERE "STAT" = 'S'`,
  },
  extracted: {
    levels: 'SELECT * FROM levels',
    holds: 'SELECT * FROM holds',
    lines: 'SELECT * FROM lines',
    payments: 'SELECT * FROM payments',
    entries: 'SELECT * FROM entries',
  },
};

export const shopBusiness: Business = {
  schemas: {
    sqlite: shopSchema,
    postgres: {
      ...postgresShopSchema,
      // What the extracted side lets happen breaks it, and PostgreSQL asks the applier, too.
      legacy: postgresShopSchema.legacy.replace('CHECK ("RSV" <= "QTY")', ''),
    },
  },
  tables: shopTables,
  onSqlite: (side, prompt) =>
    side === 'legacy' ? expectedOfLegacy(prompt) : contentOfExtracted(prompt),
  onPostgres: shopContent,
};
