import { customerColumns } from '../customer-column.ts';

const column = 'CUST_NO';

export const paymentCustomers = customerColumns({
  name: '0006-payment-customers',
  capability: 'payment',
  columns: [
    {
      table: 'PAY_RFND',
      column,
      customerOf: `(SELECT p."CUST_NO" FROM "PAY_TXN" p WHERE p."PAY_NO" = "PAY_RFND"."PAY_NO")`,
    },
    {
      table: 'PAY_IDEM',
      column,
      customerOf:
        `(SELECT p."CUST_NO" FROM "PAY_TXN" p WHERE p."PAY_NO" = "PAY_IDEM"."RES_ID"), ` +
        `(SELECT r."CUST_NO" FROM "PAY_RFND" r WHERE r."RFND_NO" = "PAY_IDEM"."RES_ID")`,
    },
  ],
});
