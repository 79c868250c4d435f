import { PackedChange } from './packed-change.ts';
import type { SideName } from '../../routing/side.ts';
import type { Change, Slice } from '../ledger/store.ts';

/**
 * The changes of a slice as a database has gathered them: a line for each, column by column. None of
 * them holds a line break, since what is text is JSON; a change without image has an empty line.
 */
export interface PackedLines {
  readonly tx: string;
  readonly table: string;
  readonly key: string;
  readonly op: string;
  readonly image: string;
  readonly epoch: string;
  readonly at: string;
}

interface SliceParts extends Omit<Slice, 'changes'> {
  readonly lines: PackedLines;
}

/** A slice that most only pass on: its changes are taken apart when somebody asks for them. */
export class PackedSlice implements Slice {
  readonly capability: string;
  readonly feedOf: SideName;
  readonly after: number;
  readonly upto: number;
  readonly before?: string | null;
  readonly lines: PackedLines;
  #changes: readonly Change[] | undefined;

  constructor({ capability, feedOf, after, upto, before, lines }: SliceParts) {
    this.capability = capability;
    this.feedOf = feedOf;
    this.after = after;
    this.upto = upto;
    if (before !== undefined) this.before = before;
    this.lines = lines;
  }

  get changes(): readonly Change[] {
    return (this.#changes ??= unpacked(this.after, this.lines));
  }
}

function unpacked(after: number, lines: PackedLines): Change[] {
  const [tx, tables] = [lines.tx.split('\n'), lines.table.split('\n')];
  const [keys, ops, images] = [lines.key, lines.op, lines.image].map((text) => text.split('\n'));
  const [epochs, times] = [lines.epoch.split('\n'), lines.at.split('\n')];
  const names = new Map<string, string>();
  return tx.map((number, index) => {
    const json = tables[index] ?? '""';
    let table = names.get(json);
    if (table === undefined) names.set(json, (table = JSON.parse(json) as string));
    const [key = '{}', op, image = ''] = [keys?.[index], ops?.[index], images?.[index]];
    return new PackedChange([
      after + 1 + index,
      Number(number),
      table,
      key,
      op as Change['op'],
      image === '' ? null : image,
      Number(epochs[index]),
      Number(times[index]),
    ]);
  });
}
