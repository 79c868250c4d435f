import {
  constant,
  copyOf,
  decimalToMinor,
  defineMapping,
  derived,
  enumeration,
  prefixed,
  rename,
  timestamp,
} from '../../strangler/mapping/index.ts';
import { keyPair } from '../key-pair.ts';

/** Whose a row is: all of them say it, since customers may move one before the other. */
const customer = rename('CUST_NO', 'customer_id');

/**
 * How the monolith's payments become the payment service's, and back: a status column on one side,
 * entries on the other. A payment that is pending ('P') has no settlement entry, and its UPD_TS is
 * its CRT_TS; likewise a refund that was only asked for.
 */
export const paymentMapping = defineMapping({
  capability: 'payment',
  cohortKey: { legacy: 'CUST_NO', extracted: 'customer_id' },
  pairs: [
    {
      name: 'payments',
      legacy: { table: 'PAY_TXN' },
      extracted: { table: 'payments' },
      key: [rename('PAY_NO', 'id')],
      columns: [
        rename('ORD_NO', 'order_id'),
        customer,
        decimalToMinor('AMT_TXT', 'amount_minor', 2),
        rename('CURR_CD', 'currency'),
        rename('METH_CD', 'method'),
        timestamp('CRT_TS', 'created_at'),
      ],
    },
    {
      name: 'settlements',
      partOf: { pair: 'payments', by: ['PAY_NO'] },
      legacy: {
        table: 'PAY_TXN',
        where: { STAT_CD: ['S', 'D'] },
        resetTo: { STAT_CD: 'P', UPD_TS: copyOf('CRT_TS') },
      },
      extracted: { table: 'payment_entries' },
      key: [rename('PAY_NO', 'payment_id'), constant('extracted', 'entry_id', 'settlement')],
      columns: [
        enumeration('STAT_CD', 'kind', { S: 'captured', D: 'declined' }),
        derived(
          'extracted',
          decimalToMinor('AMT_TXT', 'amount_minor', 2),
          'a payment is settled as a whole: its own amount says it',
        ),
        timestamp('UPD_TS', 'at'),
        derived('extracted', customer, 'the payment says whose it is'),
      ],
    },
    {
      name: 'refund_requests',
      partOf: { pair: 'payments', by: ['PAY_NO'] },
      legacy: { table: 'PAY_RFND' },
      extracted: { table: 'payment_entries' },
      key: [prefixed('RFND_NO', 'entry_id', 'refund:')],
      columns: [
        constant('extracted', 'kind', 'refund_requested'),
        rename('PAY_NO', 'payment_id'),
        decimalToMinor('AMT_TXT', 'amount_minor', 2),
        timestamp('CRT_TS', 'at'),
        customer,
      ],
    },
    {
      name: 'refunds',
      partOf: { pair: 'payments', by: ['PAY_NO'] },
      legacy: {
        table: 'PAY_RFND',
        where: { STAT_CD: ['S'] },
        resetTo: { STAT_CD: 'P', UPD_TS: copyOf('CRT_TS') },
      },
      extracted: { table: 'payment_entries' },
      key: [prefixed('RFND_NO', 'entry_id', 'refunded:')],
      columns: [
        constant('legacy', 'STAT_CD', 'S'),
        constant('extracted', 'kind', 'refunded'),
        timestamp('UPD_TS', 'at'),
        derived('extracted', rename('PAY_NO', 'payment_id'), 'the request says what it is for'),
        derived('extracted', customer, 'the request says whose it is'),
        derived(
          'extracted',
          decimalToMinor('AMT_TXT', 'amount_minor', 2),
          'what was asked for is what is refunded: the request says it',
        ),
      ],
    },
    keyPair('PAY_IDEM', [customer]),
  ],
});

const minorUnits = (column: string): string => `CAST(replace("${column}", '.', '') AS BIGINT)`;

/** What must be the same on both sides before ownership moves, whatever the rows say one by one. */
export const paymentInvariants = [
  {
    name: 'minor units captured, minor units paid back',
    legacy:
      `SELECT (SELECT sum(${minorUnits('AMT_TXT')}) FROM "PAY_TXN" WHERE "STAT_CD" = 'S'), ` +
      `(SELECT sum(${minorUnits('AMT_TXT')}) FROM "PAY_RFND" WHERE "STAT_CD" = 'S')`,
    extracted:
      "SELECT (SELECT sum(amount_minor) FROM payment_entries WHERE kind = 'captured'), " +
      "(SELECT sum(amount_minor) FROM payment_entries WHERE kind = 'refunded')",
  },
];
