import type { JournalEntry } from './store.ts';
import type { Dialect, Reads, Tx } from './dialect.ts';

/** Journals a step of a handover or completion, as taken now. */
export async function journalNow(
  tx: Tx,
  { now }: Dialect,
  { handover, step, detail }: Omit<JournalEntry, 'at'>,
): Promise<void> {
  await tx.run(`INSERT INTO fig_journal (handover, step, at, detail) VALUES ($1, $2, ${now}, $3)`, [
    handover,
    step,
    detail,
  ]);
}

/** Journals steps that were taken before. */
export async function journalAll(tx: Tx, entries: readonly JournalEntry[]): Promise<void> {
  for (const { handover, step, at, detail } of entries) {
    await tx.run('INSERT INTO fig_journal (handover, step, at, detail) VALUES ($1, $2, $3, $4)', [
      handover,
      step,
      at,
      detail,
    ]);
  }
}

export function readJournal(tx: Reads, handover: string): Promise<readonly JournalEntry[]> {
  return tx.all<JournalEntry>(
    'SELECT handover, step, at, detail FROM fig_journal WHERE handover = $1 ORDER BY id',
    [handover],
  );
}

/** The steps of several handovers, in the order in which they were journalled. */
export function readJournals(
  tx: Reads,
  { elements }: Dialect,
  handovers: readonly string[],
): Promise<readonly JournalEntry[]> {
  return tx.all<JournalEntry>(
    `SELECT handover, step, at, detail FROM fig_journal
       WHERE handover IN (SELECT value FROM ${elements('$1')}) ORDER BY id`,
    [handovers],
  );
}
