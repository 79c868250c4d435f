import type { Mapping } from './mapping/index.ts';
import type { SideDatabase } from './side-database.ts';
import type { SideName } from './side.ts';
import { SqliteSideDatabase } from './sqlite/index.ts';

/**
 * Opens both databases of a capability; they must exist.
 * @param urls `file:` and a path each
 * @throws ConfigurationError for a URL of no known dialect
 */
export function openSides(
  mapping: Mapping,
  urls: Readonly<Record<SideName, string>>,
): Readonly<Record<SideName, SideDatabase>> {
  const legacy = new SqliteSideDatabase(urls.legacy, mapping, 'legacy');
  try {
    return { legacy, extracted: new SqliteSideDatabase(urls.extracted, mapping, 'extracted') };
  } catch (error) {
    legacy.close();
    throw error;
  }
}
