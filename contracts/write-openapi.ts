import { writeFileSync } from 'node:fs';
import { asyncApiDocument } from './asyncapi.ts';
import { openApiDocument } from './openapi.ts';

/** `npm run openapi`: writes the committed documents anew, from the folder it is run in. */
for (const [file, document] of [
  ['contracts/openapi.json', openApiDocument('v1')],
  ['contracts/openapi.v2.json', openApiDocument('v2')],
  ['contracts/asyncapi.json', asyncApiDocument()],
] as const) {
  writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
}
