import { dialectOf, errorText } from '../chassis/index.ts';
import type { Inspectors, SideInspector } from './check/index.ts';
import type { Mapping } from './mapping/index.ts';
import { PostgresInspector, PostgresSideDatabase } from './postgres/index.ts';
import type { SideDatabase } from './side-database.ts';
import type { SideName } from './side.ts';
import { SqliteInspector, SqliteSideDatabase } from './sqlite/index.ts';

type Urls = Readonly<Record<SideName, string>>;

/**
 * Opens one side's database, in the dialect that its URL names. A file must exist; a server is first
 * asked when something is asked of it.
 * @param url `file:` and a path, or `postgres:`
 * @throws an error that names the side
 */
export function openSide(url: string, mapping: Mapping, side: SideName): SideDatabase {
  try {
    const Side = dialectOf(url) === 'sqlite' ? SqliteSideDatabase : PostgresSideDatabase;
    return new Side(url, mapping, side);
  } catch (error) {
    throw unopened(side, error);
  }
}

/** Opens both databases of a capability. @throws an error that names the side */
export function openSides(mapping: Mapping, urls: Urls): Readonly<Record<SideName, SideDatabase>> {
  const legacy = openSide(urls.legacy, mapping, 'legacy');
  try {
    return { legacy, extracted: openSide(urls.extracted, mapping, 'extracted') };
  } catch (error) {
    void legacy.close();
    throw error;
  }
}

/** Opens both databases for looking only. @throws an error that names the side */
export async function openInspectors(mapping: Mapping, urls: Urls): Promise<Inspectors> {
  const legacy = await openInspector(urls.legacy, mapping, 'legacy');
  try {
    return { legacy, extracted: await openInspector(urls.extracted, mapping, 'extracted') };
  } catch (error) {
    await legacy.close();
    throw error;
  }
}

async function openInspector(
  url: string,
  mapping: Mapping,
  side: SideName,
): Promise<SideInspector> {
  try {
    return dialectOf(url) === 'sqlite'
      ? new SqliteInspector(url, mapping, side)
      : await PostgresInspector.open(url, mapping, side);
  } catch (error) {
    throw unopened(side, error);
  }
}

function unopened(side: SideName, error: unknown): Error {
  const reason = errorText(error);
  return new Error(`the ${side} database can't be opened: ${reason}`, { cause: error });
}
