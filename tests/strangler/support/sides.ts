import Database from 'better-sqlite3';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SideName } from '../../../routing/side.ts';
import { shopSchema } from './shop.ts';

/** A hand-typed session on one side's database: what a person at the sqlite3 prompt would be. */
export type Prompt = Database.Database;

export interface Sides {
  readonly urls: Readonly<Record<SideName, string>>;
  /** For what else a test keeps. */
  readonly folder: string;
  readonly legacy: Prompt;
  readonly extracted: Prompt;
}

/** Runs `work` with two fresh databases, of the shop's schema unless told otherwise, and removes them afterwards. */
export async function withSides<T>(
  work: (sides: Sides) => Promise<T> | T,
  schema: Readonly<Record<SideName, string>> = shopSchema,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'fig-sides-'));
  const [legacy, extracted] = [open(folder, 'legacy', schema), open(folder, 'extracted', schema)];
  try {
    return await work({
      urls: { legacy: `file:${legacy.name}`, extracted: `file:${extracted.name}` },
      folder,
      legacy,
      extracted,
    });
  } finally {
    legacy.close();
    extracted.close();
    rmSync(folder, { recursive: true });
  }
}

function open(folder: string, side: SideName, schema: Readonly<Record<SideName, string>>): Prompt {
  const prompt = new Database(join(folder, `${side}.db`));
  prompt.pragma('journal_mode = WAL');
  // Like the sqlite3 command: REPLACE fires no delete triggers.
  prompt.pragma('recursive_triggers = OFF');
  prompt.exec(schema[side]);
  return prompt;
}
