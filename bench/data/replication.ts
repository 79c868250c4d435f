import { join } from 'node:path';
import { createLog } from '../../chassis/index.ts';
import { Replication, openSides } from '../../strangler/index.ts';
import type { Mapping } from '../../strangler/index.ts';
import { makeTable } from './rows.ts';
import type { Shape } from './rows.ts';

export interface Files {
  readonly legacy: string;
  readonly extracted: string;
}

/** Makes both sides' databases in a folder. */
export function makeSides(folder: string, shape: Shape): Files {
  const files = {
    legacy: join(folder, `${shape}-legacy.db`),
    extracted: join(folder, `${shape}-extracted.db`),
  };
  makeTable(files.legacy, shape, 'legacy');
  makeTable(files.extracted, shape, 'extracted');
  return files;
}

/** The replication between both files, installed; its owner starts and stops it. */
export async function installReplication(
  mapping: Mapping,
  files: Files,
  redisUrl?: string,
): Promise<Replication> {
  const urls = { legacy: `file:${files.legacy}`, extracted: `file:${files.extracted}` };
  const log = createLog('bench', 'silent');
  const replication = new Replication({
    mapping,
    databases: openSides(mapping, urls),
    redisUrl,
    log,
  });
  await replication.install();
  return replication;
}
