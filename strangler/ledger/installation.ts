import type { Installation } from '../sides/side-database.ts';
import type { Ledger } from './dialect.ts';
import { checkVersion } from './version.ts';

type Stored = Omit<Installation, 'complete'> & { readonly complete: boolean | number };

/**
 * What a side has been told of its installation; undefined where there is none.
 * @throws ConfigurationError when a newer build has installed its own
 */
export function readInstallation(
  ledger: Ledger,
  capability: string,
): Promise<Installation | undefined> {
  const { dialect, url } = ledger;
  return ledger.snapshot(async (tx) => {
    if ((await tx.get(dialect.hasTable, [dialect.feedTable(capability)])) === undefined) {
      return undefined;
    }
    await checkVersion(tx, dialect, url);
    const found = await tx.get<Stored>(
      `SELECT mapping_hash AS "mappingHash", incarnation, complete FROM fig_install
         WHERE capability = $1`,
      [capability],
    );
    return found && { ...found, complete: Boolean(found.complete) };
  });
}
