import { customerColumns } from '../customer-column.ts';

const column = 'customer_id';

export const customers = customerColumns({
  name: '0003-customers',
  capability: 'payment',
  columns: [
    {
      table: 'payment_entries',
      column,
      customerOf: `(SELECT p.customer_id FROM payments p WHERE p.id = payment_entries.payment_id)`,
    },
    {
      table: 'request_keys',
      column,
      customerOf:
        `(SELECT p.customer_id FROM payments p WHERE p.id = request_keys.resource_id), ` +
        `(SELECT e.customer_id FROM payment_entries e ` +
        `WHERE e.entry_id = 'refund:' || request_keys.resource_id)`,
    },
  ],
});
