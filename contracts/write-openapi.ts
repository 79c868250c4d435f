import { writeFileSync } from 'node:fs';
import { openApiDocument } from './openapi.ts';

/** `npm run openapi`: writes the committed document anew, from the folder it is run in. */
writeFileSync('contracts/openapi.json', `${JSON.stringify(openApiDocument(), null, 2)}\n`);
