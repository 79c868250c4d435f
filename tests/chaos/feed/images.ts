import type { Dialect } from '../../../chassis/index.ts';
import { quoted } from '../base/prompt.ts';
import type { Capability, SideName } from '../base/rows.ts';
import { MARK } from './deeds.ts';

/** What the two dialects call differently. */
interface Words {
  list(...values: readonly string[]): string;
  /** ms since 1970 of a time that is text. */
  ms(column: string): string;
  /** Values of rows of a table, in an order, joined by commas. */
  joined(value: string, table: string, where: string, order: string): string;
}

const WORDS: Readonly<Record<Dialect, Words>> = {
  sqlite: {
    list: (...values) => `json_array(${values.join(', ')})`,
    ms: (column) => `CAST(round((julianday(${column}) - 2440587.5) * 86400000.0) AS INTEGER)`,
    joined: (value, table, where, order) =>
      `(SELECT group_concat(${value}) FROM (SELECT * FROM ${table} WHERE ${where} ORDER BY ${order}))`,
  },
  postgres: {
    list: (...values) => `json_build_array(${values.join(', ')})::text`,
    ms: (column) => `round(extract(epoch FROM ${column}::timestamp) * 1000)::bigint`,
    joined: (value, table, where, order) =>
      `(SELECT string_agg(${value}, ',' ORDER BY ${order}) FROM ${table} WHERE ${where})`,
  },
};

/** The hand's things as a side shows them: name and image, in SQL written without the mapping. */
export function imagesSql(dialect: Dialect, capability: Capability, side: SideName): string {
  const sql = IMAGES[capability][side](WORDS[dialect]);
  return dialect === 'sqlite' ? sql : quoted(sql);
}

type ImagesOf = Readonly<Record<SideName, (words: Words) => string>>;

const IMAGES: Readonly<Record<Capability, ImagesOf>> = {
  inventory: {
    legacy: ({ list, ms, joined }) => `
      SELECT SKU_CD AS name, ${list('QTY_OH', 'QTY_RSV', ms('UPD_TS'))} AS image FROM INV_STOCK
      WHERE SKU_CD LIKE '${MARK}%'
      UNION ALL SELECT RSV_NO, ${list(
        `CASE STAT_CD WHEN 'C' THEN 'committed' ELSE 'released' END`,
        ms('CRT_TS'),
        joined(`SKU_CD || ':' || "QTY"`, 'INV_RSV_LIN', 'RSV_NO = INV_RSV.RSV_NO', 'SKU_CD'),
      )} FROM INV_RSV WHERE RSV_NO LIKE '${MARK}%'`,
    extracted: ({ list, joined }) => `
      SELECT sku AS name, ${list('on_hand', 'reserved', 'updated_at')} AS image
      FROM stock_levels JOIN stock_holds USING (sku) WHERE sku LIKE '${MARK}%'
      UNION ALL SELECT id, ${list(
        'status',
        'created_at',
        joined(
          `sku || ':' || quantity`,
          'reservation_items',
          'reservation_id = reservations.id',
          'sku',
        ),
      )} FROM reservations WHERE id LIKE '${MARK}%'`,
  },
  payment: {
    legacy: ({ list, ms }) => `
      SELECT PAY_NO AS name, ${list(
        `CAST(replace(AMT_TXT, '.', '') AS INTEGER)`,
        ms('CRT_TS'),
        ms('UPD_TS'),
        `(SELECT ${ms('UPD_TS')} FROM PAY_RFND WHERE PAY_NO = PAY_TXN.PAY_NO)`,
      )} AS image FROM PAY_TXN WHERE PAY_NO LIKE '${MARK}%'`,
    extracted: ({ list }) => `
      SELECT id AS name, ${list(
        'amount_minor',
        'created_at',
        `(SELECT at FROM payment_entries WHERE payment_id = id AND kind = 'captured')`,
        `(SELECT at FROM payment_entries WHERE payment_id = id AND kind = 'refunded')`,
      )} AS image FROM payments WHERE id LIKE '${MARK}%'`,
  },
};
