import type { NoticeWords } from '../ownership/side-retirement.ts';
import { fencesIn } from '../sides/facts.ts';
import type { Facts } from '../sides/facts.ts';
import { restOf } from '../replication/direction.ts';
import type { OpenCapability } from './open-capability.ts';
import { ownerOf } from '../ownership/owner.ts';

/** When extracted became the owner, by the journal; null when it is not known. */
export async function ownedSince({ legacy }: Facts): Promise<number | null> {
  const recent = await legacy.handovers();
  const last = recent.find(
    ({ to, outcome, keys }) => to === 'extracted' && outcome === 'done' && keys === null,
  );
  return last?.finishedAt ?? null;
}

/** What legacy's program is to tell of where the capability is, and for how long it goes on. */
export async function noticeWords(
  { declaration }: OpenCapability,
  facts: Facts,
): Promise<NoticeWords> {
  const { successor = '', soakMs = 0, sunset } = declaration.completion ?? {};
  const since = (await ownedSince(facts)) ?? Date.now();
  return { successor, since, sunset: sunset ?? since + soakMs };
}

/**
 * Keeps a notice in legacy's database while extracted is the owner, for legacy's own program to
 * show: it must know by itself, also when no engine runs.
 */
export class Notices {
  #shown: string | undefined;

  async keep(opened: OpenCapability, facts: Facts): Promise<void> {
    if (opened.declaration.completion === undefined) return;
    const owner = ownerOf(restOf(await fencesIn(facts)));
    // Between two owners nobody knows yet.
    if (owner === null) return;
    const words = owner === 'extracted' ? await noticeWords(opened, facts) : null;
    const shown = JSON.stringify(words);
    if (shown === this.#shown) return;
    await opened.sides.legacy.retirement.announce(words);
    this.#shown = shown;
  }
}
