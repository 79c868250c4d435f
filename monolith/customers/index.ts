import type { Database } from '../../chassis/index.ts';

/** Who may order. */
export interface Customers {
  exists(customerId: string): Promise<boolean>;
}

export function createCustomers(database: Database): Customers {
  return {
    async exists(customerId) {
      const row: unknown = await database
        .read('CUS_MST')
        .where({ CUST_NO: customerId })
        .first('CUST_NO');
      return row !== undefined;
    },
  };
}
