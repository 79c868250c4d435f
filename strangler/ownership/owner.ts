import type { Fence } from '../../chassis/index.ts';
import type { BySide, SideName } from '../../routing/side.ts';

/** The side that may write; null between two owners, or when nobody knows. */
export function ownerOf(fences: BySide<Fence | null>): SideName | null {
  const { legacy, extracted } = fences;
  if (legacy?.state === 'open' && extracted?.state !== 'open') return 'legacy';
  if (extracted?.state === 'open' && legacy?.state !== 'open') return 'extracted';
  return null;
}
