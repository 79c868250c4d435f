import { existsSync } from 'node:fs';

/** What starts a system that is not there: in the repository its shop, in a package the configuration at hand. */
export const START_COMMAND: string = existsSync(new URL('../system/', import.meta.url))
  ? 'npm start'
  : 'fig up';
