import { describe, expect, it } from '@jest/globals';
import { createOperator } from '../../rehearsal/index.ts';
import { withTempDir } from '../support/index.ts';
import { withUnleash } from './unleash-server.ts';

describe('the flags of a real Unleash server', () => {
  it(
    'are made, set and read by the command line, which can tell when they can not be read',
    () =>
      withTempDir((directory) =>
        withUnleash(async (unleash) => {
          const env = {
            ...process.env,
            ...unleash.variables,
            FIG_DATA_DIR: directory,
          };
          const fig = createOperator({ ...env, UNLEASH_ADMIN_TOKEN: unleash.adminToken });
          expect(await fig('flags', 'set', 'inventory.reads', '40')).toMatchObject({
            code: 0,
            output: { source: unleash.variables['UNLEASH_URL'] },
          });
          const { body } = await unleash.admin('GET', '/inventory.reads');
          expect(body).toMatchObject({
            environments: expect.arrayContaining([
              expect.objectContaining({ name: 'development', enabled: true }),
            ]),
          });
          expect(await fig('flags')).toMatchObject({
            code: 0,
            output: { flags: { 'inventory.reads': 40 } },
          });
          await unleash.kill();
          expect(await fig('flags')).toMatchObject({ code: 1, output: { readable: false } });
        }),
      ),
    400_000,
  );
});
