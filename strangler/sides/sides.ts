import { errorText } from '../../chassis/index.ts';
import type { Survey } from '../assess/survey.ts';
import type { Inspectors, SideInspector } from '../check/index.ts';
import { openerOf } from '../dialects/index.ts';
import type { ScratchDatabase } from '../conformance/index.ts';
import type { Mapping } from '../mapping/index.ts';
import { UnopenedError } from '../check/missing-right.ts';
import type { SideDatabase } from './side-database.ts';
import type { SideName } from '../../routing/side.ts';

type Urls = Readonly<Record<SideName, string>>;

/**
 * Opens one side's database, in the dialect that its URL names. A file must exist; a server is first
 * asked when something is asked of it.
 * @param url `file:` and a path, or `postgres:`
 * @throws an error that names the side
 */
export function openSide(url: string, mapping: Mapping, side: SideName): SideDatabase {
  try {
    return openerOf(url).side(url, mapping, side);
  } catch (error) {
    throw unopened(side, url, error);
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

/** Opens the database of a service that conformance tries. */
export function openScratch(url: string): ScratchDatabase {
  return openerOf(url).scratch(url);
}

/** Opens both databases for looking only. @throws an error that names the side; UnopenedError where rights are missing */
export async function openInspectors(mapping: Mapping, urls: Urls): Promise<Inspectors> {
  const [legacy, extracted] = await Promise.allSettled(
    (['legacy', 'extracted'] as const).map((side) => openInspector(urls[side], mapping, side)),
  );
  if (legacy?.status === 'fulfilled' && extracted?.status === 'fulfilled') {
    return { legacy: legacy.value, extracted: extracted.value };
  }
  const failed: unknown[] = [];
  for (const one of [legacy, extracted]) {
    if (one?.status === 'fulfilled') await one.value.close();
    else failed.push(one?.reason);
  }
  const missing = failed.flatMap((error) => (error instanceof UnopenedError ? error.missing : []));
  // What else keeps one closed is to be mended first.
  throw failed.find((error) => !(error instanceof UnopenedError)) ?? new UnopenedError(missing);
}

async function openInspector(
  url: string,
  mapping: Mapping,
  side: SideName,
): Promise<SideInspector> {
  try {
    return await openerOf(url).inspector(url, mapping, side);
  } catch (error) {
    throw unopened(side, url, error);
  }
}

function unopened(side: SideName, url: string, error: unknown): Error {
  const missing = openerOf(url).missingRights(url, error);
  if (missing.length > 0) return new UnopenedError(missing.map((right) => ({ side, right })));
  const reason = errorText(error);
  return new Error(`the ${side} database can't be opened: ${reason}`, { cause: error });
}

/** Reads what a database says of itself, whether or not a mapping is about it. */
export function surveyOf(url: string): Promise<Survey> {
  return openerOf(url).survey(url);
}

/** How many rows of each table were written until now; none where the database does not count. */
export function writtenRowsOf(url: string): Promise<ReadonlyMap<string, number>> {
  return openerOf(url).writtenRows(url);
}
