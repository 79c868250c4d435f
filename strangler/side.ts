/** The two homes a capability can have. */
export type SideName = 'legacy' | 'extracted';

export function otherSide(side: SideName): SideName {
  return side === 'legacy' ? 'extracted' : 'legacy';
}
