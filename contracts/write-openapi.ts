import { writeFileSync } from 'node:fs';
import { openApiDocument } from './openapi.ts';

/** `npm run openapi`: writes the committed documents anew, from the folder it is run in. */
for (const [version, file] of [
  ['v1', 'contracts/openapi.json'],
  ['v2', 'contracts/openapi.v2.json'],
] as const) {
  writeFileSync(file, `${JSON.stringify(openApiDocument(version), null, 2)}\n`);
}
