import type { NoticeWords } from '../ownership/side-retirement.ts';
import type { SideName } from '../../routing/side.ts';
import type { OpenCapability } from './open-capability.ts';

/** Handovers that are looked through for the one that made extracted the owner. */
const RECENT = 20;

/** When extracted became the owner, by the journal; null when it is not known. */
export async function ownedSince({ sides }: OpenCapability): Promise<number | null> {
  const recent = await sides.legacy.store.recentHandovers(RECENT);
  const last = recent.find(
    ({ to, outcome, keys }) => to === 'extracted' && outcome === 'done' && keys === null,
  );
  return last?.finishedAt ?? null;
}

/** What legacy's program is to tell of where the capability is, and for how long it goes on. */
export async function noticeWords(opened: OpenCapability): Promise<NoticeWords> {
  const { successor = '', soakMs = 0, sunset } = opened.declaration.completion ?? {};
  const since = (await ownedSince(opened)) ?? Date.now();
  return { successor, since, sunset: sunset ?? since + soakMs };
}

/**
 * Keeps a notice in legacy's database while extracted is the owner, for legacy's own program to
 * show: it must know by itself, also when no engine runs.
 */
export class Notices {
  #shown: string | undefined;

  async keep(opened: OpenCapability, owner: SideName | null): Promise<void> {
    // Between two owners nobody knows yet.
    if (owner === null || opened.declaration.completion === undefined) return;
    const words = owner === 'extracted' ? await noticeWords(opened) : null;
    const shown = JSON.stringify(words);
    if (shown === this.#shown) return;
    await opened.sides.legacy.retirement.announce(words);
    this.#shown = shown;
  }
}
