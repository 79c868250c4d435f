/** Where a capability can live. */
export type SideName = 'legacy' | 'extracted';

export const SIDES: readonly SideName[] = ['legacy', 'extracted'];

/** One for each side. */
export type BySide<T> = Readonly<Record<SideName, T>>;

export function otherSide(side: SideName): SideName {
  return side === 'legacy' ? 'extracted' : 'legacy';
}
