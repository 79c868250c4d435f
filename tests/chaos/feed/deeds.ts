import type { Random } from '../../../rehearsal/index.ts';
import type { Sql } from '../base/prompt.ts';
import type { Capability, SideName } from '../base/rows.ts';

/** What a person at a SQL prompt does in one transaction, on whichever side is the owner. */
export interface Deed {
  readonly sql: Readonly<Record<SideName, readonly Sql[]>>;
  /** What the things that it touches look like afterwards; null for one that is gone. */
  readonly images: Readonly<Record<string, string | null>>;
}

/** Draws a deed that fits what is there. */
export type DrawDeed = (random: Random, known: ReadonlyMap<string, string>) => Deed;

/** Marks the rows that belong to the hand and to no customer. */
export const MARK = 'HAND-';

const text = (ms: number): string => new Date(ms).toISOString().slice(0, -1).replace('T', ' ');
const money = (minor: number): string => (minor / 100).toFixed(2);
const aTime = (random: Random): number => Date.UTC(2026, 0, 1) + random.between(0, 1e9);
const image = (...values: readonly unknown[]): string => JSON.stringify(values);

function article(random: Random, known: ReadonlyMap<string, string>): Deed {
  const sku = `${MARK}A${random.between(1, 9)}`;
  const draw = random.next();
  const there = known.get(sku);
  if (draw < 0.2 && there !== undefined) {
    return {
      sql: {
        legacy: [['DELETE FROM INV_STOCK WHERE SKU_CD = ?', sku]],
        extracted: [
          ['DELETE FROM stock_levels WHERE sku = ?', sku],
          ['DELETE FROM stock_holds WHERE sku = ?', sku],
        ],
      },
      images: { [sku]: null },
    };
  }
  const other = `${MARK}A${random.between(10, 99)}`;
  if (draw < 0.4 && there !== undefined && !known.has(other)) {
    return {
      sql: {
        legacy: [['UPDATE INV_STOCK SET SKU_CD = ? WHERE SKU_CD = ?', other, sku]],
        extracted: [
          ['UPDATE stock_levels SET sku = ? WHERE sku = ?', other, sku],
          ['UPDATE stock_holds SET sku = ? WHERE sku = ?', other, sku],
        ],
      },
      images: { [sku]: null, [other]: there },
    };
  }
  const [onHand, at] = [random.between(0, 500), aTime(random)];
  return {
    sql: {
      legacy: [['REPLACE INTO INV_STOCK VALUES (?, ?, 0, ?)', sku, onHand, text(at)]],
      extracted: [
        ['REPLACE INTO stock_levels VALUES (?, ?, ?)', sku, onHand, at],
        ['REPLACE INTO stock_holds VALUES (?, 0)', sku],
      ],
    },
    images: { [sku]: image(onHand, 0, at) },
  };
}

function reservation(random: Random, known: ReadonlyMap<string, string>): Deed {
  const id = `${MARK}R${random.between(1, 20)}`;
  const gone: Deed['sql'] = {
    legacy: [
      ['DELETE FROM INV_RSV_LIN WHERE RSV_NO = ?', id],
      ['DELETE FROM INV_RSV WHERE RSV_NO = ?', id],
    ],
    extracted: [
      ['DELETE FROM reservation_items WHERE reservation_id = ?', id],
      ['DELETE FROM reservations WHERE id = ?', id],
    ],
  };
  if (random.next() < 0.2 && known.has(id)) return { sql: gone, images: { [id]: null } };
  const [code, status] = random.pick([
    ['C', 'committed'],
    ['R', 'released'],
  ] as const);
  const at = aTime(random);
  const lines = Array.from({ length: random.between(1, 3) }, (_unused, index) => ({
    sku: `${MARK}A${index}`,
    quantity: random.between(1, 9),
  }));
  return {
    sql: {
      legacy: [
        ['REPLACE INTO INV_RSV VALUES (?, ?, ?, ?, ?)', id, id, code, text(at), text(at)],
        ['DELETE FROM INV_RSV_LIN WHERE RSV_NO = ?', id],
        ...lines.map(({ sku, quantity }): Sql => [
          'INSERT INTO INV_RSV_LIN VALUES (?, ?, ?)',
          id,
          sku,
          quantity,
        ]),
      ],
      extracted: [
        ['REPLACE INTO reservations VALUES (?, ?, ?, ?, ?)', id, id, status, at, at],
        ['DELETE FROM reservation_items WHERE reservation_id = ?', id],
        ...lines.map(({ sku, quantity }): Sql => [
          'INSERT INTO reservation_items VALUES (?, ?, ?)',
          id,
          sku,
          quantity,
        ]),
      ],
    },
    images: {
      [id]: image(status, at, lines.map(({ sku, quantity }) => `${sku}:${quantity}`).join()),
    },
  };
}

function payment(random: Random, known: ReadonlyMap<string, string>): Deed {
  const id = `${MARK}P${random.between(1, 20)}`;
  const legacyGone: readonly Sql[] = [
    ['DELETE FROM PAY_RFND WHERE PAY_NO = ?', id],
    ['DELETE FROM PAY_TXN WHERE PAY_NO = ?', id],
  ];
  const extractedGone: readonly Sql[] = [
    ['DELETE FROM payment_entries WHERE payment_id = ?', id],
    ['DELETE FROM payments WHERE id = ?', id],
  ];
  if (random.next() < 0.2 && known.has(id)) {
    return { sql: { legacy: legacyGone, extracted: extractedGone }, images: { [id]: null } };
  }
  const minor = random.between(1, 99_999);
  const [at, settledAt, backAt] = [aTime(random), aTime(random), aTime(random)];
  const refunded = random.next() < 0.4;
  const refund = `${id}-back`;
  return {
    sql: {
      legacy: [
        ...legacyGone,
        [
          `INSERT INTO PAY_TXN VALUES (?, ?, 'HAND', ?, 'USD', 'card_ok', 'S', ?, ?)`,
          id,
          id,
          money(minor),
          text(at),
          text(settledAt),
        ],
        ...(refunded
          ? [
              [
                `INSERT INTO PAY_RFND VALUES (?, ?, ?, 'S', ?, ?, 'HAND')`,
                refund,
                id,
                money(minor),
                text(settledAt),
                text(backAt),
              ] as Sql,
            ]
          : []),
      ],
      extracted: [
        ...extractedGone,
        [`INSERT INTO payments VALUES (?, ?, 'HAND', ?, 'USD', 'card_ok', ?)`, id, id, minor, at],
        [
          `INSERT INTO payment_entries VALUES (?, 'settlement', 'captured', ?, ?, 'HAND')`,
          id,
          minor,
          settledAt,
        ],
        ...(refunded
          ? [
              [
                `INSERT INTO payment_entries VALUES (?, ?, 'refund_requested', ?, ?, 'HAND')`,
                id,
                `refund:${refund}`,
                minor,
                settledAt,
              ] as Sql,
              [
                `INSERT INTO payment_entries VALUES (?, ?, 'refunded', ?, ?, 'HAND')`,
                id,
                `refunded:${refund}`,
                minor,
                backAt,
              ] as Sql,
            ]
          : []),
      ],
    },
    images: { [id]: image(minor, at, settledAt, refunded ? backAt : null) },
  };
}

export const DEEDS: Readonly<Record<Capability, DrawDeed>> = {
  inventory: (random, known) =>
    random.next() < 0.5 ? article(random, known) : reservation(random, known),
  payment,
};
