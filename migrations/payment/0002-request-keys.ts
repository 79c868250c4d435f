import type { Migration } from '../../chassis/index.ts';
import { createRequestKeys } from '../request-keys.ts';

export const requestKeys: Migration = {
  name: '0002-request-keys',
  async up(knex) {
    await createRequestKeys(knex);
    // The resolver looks for requests left under way; there are few of them at any time.
    await knex.raw(
      "CREATE INDEX request_keys_open ON request_keys (lease_until) WHERE state = 'in_flight'",
    );
  },
  async down(knex) {
    await knex.schema.dropTable('request_keys');
  },
};
