import type { SideName } from '../../routing/side.ts';
import type { Codec } from './codec.ts';
import { columnOn } from './mapping.ts';
import type { Pair } from './mapping.ts';

/** Whether no row can have both pairs' keys: a constant or a prefix of the key tells them apart. */
export function disjoint(left: Pair, right: Pair, side: SideName): boolean {
  return left.key.some((codec) => {
    const column = columnOn(codec, side);
    const other = right.key.find((candidate) => columnOn(candidate, side) === column);
    if (column === null || other === undefined) return false;
    const [a, b] = [startOf(codec, side), startOf(other, side)];
    if (a === undefined || b === undefined) return false;
    if (a.whole && b.whole) return a.text !== b.text;
    if (a.whole) return !a.text.startsWith(b.text);
    if (b.whole) return !b.text.startsWith(a.text);
    return !a.text.startsWith(b.text) && !b.text.startsWith(a.text);
  });
}

function startOf(codec: Codec, side: SideName): { text: string; whole: boolean } | undefined {
  if (codec.constant !== undefined) return { text: String(codec.constant), whole: true };
  if (codec.prefix !== undefined && side === 'extracted')
    return { text: codec.prefix, whole: false };
  return undefined;
}
