import { join } from 'node:path';
import { projectRoot } from '../../system/index.ts';
import { configurationKeys } from './configuration.ts';
import {
  exitCodes,
  httpRoutes,
  jsonValues,
  mappingLanguage,
  namedHeaders,
  namedInRedis,
  problemCodes,
} from './declared.ts';
import { environment } from './environment.ts';
import { figHelp, scriptHelp, scripts, shopHelp } from './help.ts';
import { observe } from './running.ts';
import { figTables } from './tables.ts';

/** Where the snapshot is kept, one file a kind. */
export const SNAPSHOT = join(projectRoot, 'tests', 'surfaces', 'snapshot');

/**
 * All that users and stored data depend on, as texts by name: read from the code where it declares
 * it, from a running system where it does not.
 */
export async function surfaces(): Promise<Readonly<Record<string, string>>> {
  const seen = await observe();
  return {
    configuration: configurationKeys(),
    environment: environment(),
    'exit-codes': exitCodes(),
    flags: seen['flags'] ?? '',
    headers: `${namedHeaders()}\nseen in answers:\n${seen['headers-answered']}`,
    'help-fig': await figHelp(),
    'help-shop': await shopHelp(),
    'help-scripts': await scriptHelp(),
    'http-routes': httpRoutes(),
    'json-fig': seen['json-fig'] ?? '',
    'json-files': seen['json-files'] ?? '',
    'json-http': seen['json-http'] ?? '',
    'json-values': jsonValues(),
    mapping: mappingLanguage(),
    metrics: seen['metrics'] ?? '',
    problems: problemCodes(),
    redis: `${seen['redis-names']}\nnamed in the code:\n${namedInRedis()}`,
    scripts: scripts(),
    'tables-postgres': await figTables('postgres'),
    'tables-sqlite': await figTables('sqlite'),
  };
}
