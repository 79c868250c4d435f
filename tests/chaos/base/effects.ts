import type { System } from '../../../system/index.ts';
import { request } from '../../support/index.ts';
import { openPrompt, quoted } from './prompt.ts';
import { urlOf } from './rows.ts';
import type { Owners } from './verdict.ts';

/** How often the effect of each key is stored, at the owner and at the card processor. */
export interface Effects {
  readonly adjustments: ReadonlyMap<string, number>;
  readonly payments: ReadonlyMap<string, number>;
  readonly charges: ReadonlyMap<string, number>;
}

/** Reads the owners' databases; adjustments name their key as the reason, payments as the order. */
export async function effectsOf(system: System, owners: Owners): Promise<Effects> {
  const adjustments = {
    legacy: 'SELECT RSN_TXT AS what, count(*) AS times FROM INV_ADJ GROUP BY 1',
    extracted: 'SELECT reason AS what, count(*) AS times FROM stock_adjustments GROUP BY 1',
  };
  const payments = {
    legacy: `SELECT ORD_NO AS what, count(*) AS times FROM PAY_TXN WHERE STAT_CD = 'S' GROUP BY 1`,
    extracted: `SELECT order_id AS what, count(*) AS times FROM payments
      JOIN payment_entries e ON e.payment_id = id WHERE e.kind = 'captured' GROUP BY 1`,
  };
  const answer = await request<{ charges: readonly { reference: string }[] }>(
    'GET',
    `${system.urls['provider']}/ledger`,
  );
  const charges = new Map<string, number>();
  for (const { reference } of answer.body.charges) {
    charges.set(reference, (charges.get(reference) ?? 0) + 1);
  }
  return {
    adjustments: await counts(
      urlOf(system, 'inventory', owners.inventory),
      adjustments[owners.inventory],
    ),
    payments: await counts(urlOf(system, 'payment', owners.payment), payments[owners.payment]),
    charges,
  };
}

/** @param sql of rows `what`, `times` */
async function counts(url: string, sql: string): Promise<ReadonlyMap<string, number>> {
  const prompt = await openPrompt(url);
  try {
    const rows = await prompt.rows(prompt.dialect === 'postgres' ? quoted(sql) : sql);
    return new Map(rows.map(({ what, times }) => [String(what), Number(times)]));
  } finally {
    await prompt.close();
  }
}
