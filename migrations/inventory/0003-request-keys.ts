import type { Migration } from '../../chassis/index.ts';
import { createRequestKeys } from '../request-keys.ts';

export const requestKeys: Migration = {
  name: '0003-request-keys',
  up: createRequestKeys,
  async down(knex) {
    await knex.schema.dropTable('request_keys');
  },
};
