import type { Inspectors } from './check/index.ts';
import type { Mapping } from './mapping/index.ts';
import type { SideDatabase } from './side-database.ts';
import type { SideName } from './side.ts';
import { SqliteInspector, SqliteSideDatabase } from './sqlite/index.ts';

type Urls = Readonly<Record<SideName, string>>;

/**
 * Opens both databases of a capability; they must exist.
 * @param urls `file:` and a path each
 * @throws ConfigurationError for a URL of no known dialect
 */
export function openSides(mapping: Mapping, urls: Urls): Readonly<Record<SideName, SideDatabase>> {
  return openBoth((side) => new SqliteSideDatabase(urls[side], mapping, side));
}

/** Opens both databases for looking only. @throws an error that names the side */
export function openInspectors(mapping: Mapping, urls: Urls): Inspectors {
  return openBoth((side) => {
    try {
      return new SqliteInspector(urls[side], mapping, side);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`the ${side} database can't be opened: ${reason}`, { cause: error });
    }
  });
}

function openBoth<T extends { close(): void }>(
  open: (side: SideName) => T,
): Readonly<Record<SideName, T>> {
  const legacy = open('legacy');
  try {
    return { legacy, extracted: open('extracted') };
  } catch (error) {
    legacy.close();
    throw error;
  }
}
