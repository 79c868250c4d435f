import type { SideFacts } from '../sides/facts.ts';
import type { SideDatabase } from '../sides/side-database.ts';
import type { HandoverRecord, JournalEntry } from '../ledger/store.ts';

/** A handover as it is shown: with the time for which writers had to wait. */
export interface HandoverView extends HandoverRecord {
  /** From the hold to the news of the owner, by the journal's clock, in ms. */
  readonly holdMs: number | null;
  readonly steps: readonly JournalEntry[];
}

/** The newest handovers away from a side, with their holds. */
export async function handoversOf(
  { store }: SideDatabase,
  limit: number,
): Promise<readonly HandoverView[]> {
  const records = await store.recentHandovers(limit);
  return viewsOf(records, await store.journals(records.map(({ id }) => id)));
}

/** The same, as far back as facts go. */
export async function handoversIn(side: SideFacts): Promise<readonly HandoverView[]> {
  return viewsOf(await side.handovers(), await side.journal());
}

/** How long writers waited: from the first hint to hold to the last news of the owner. */
export function holdOf(journal: readonly JournalEntry[]): number | null {
  const held = journal.find(({ step }) => step === 'hold');
  const published = journal.findLast(({ step }) => step === 'publish');
  return held && published ? published.at - held.at : null;
}

function viewsOf(
  records: readonly HandoverRecord[],
  journal: readonly JournalEntry[],
): readonly HandoverView[] {
  return records.map((record) => {
    const steps = journal.filter(({ handover }) => handover === record.id);
    return { ...record, holdMs: holdOf(steps), steps };
  });
}
