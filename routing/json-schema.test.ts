import { expect, it } from '@jest/globals';
import { configJsonSchema } from './json-schema.ts';

it('the JSON schema lets strings hold variables, and names its own schema', () => {
  const variable = expect.objectContaining({ pattern: String.raw`\$\{\w+(:-[^}]*)?\}` });
  expect(configJsonSchema()).toMatchObject({
    required: ['upstreams', 'monolith', 'capabilities'],
    additionalProperties: false,
    properties: {
      $schema: { type: 'string' },
      upstreams: {
        additionalProperties: {
          anyOf: [{ anyOf: [{ type: 'string', format: 'uri' }, variable] }, { type: 'object' }],
        },
      },
      limits: { properties: { holdMs: { type: 'integer' } } },
    },
  });
});
