import { handoversOf, openEachSide } from '../../engine/index.ts';
import type { DataDeclaration, HandoverView } from '../../engine/index.ts';
import type { JournalEntry } from '../../store.ts';
import { declarationsFor } from '../context.ts';
import type { Context } from '../context.ts';
import { duration, table } from '../format.ts';
import type { Output } from '../output.ts';

/** Tells the newest handovers step by step, straight from the databases; no engine is needed. */
export async function journal(
  context: Context,
  output: Output,
  capability: string | undefined,
  limit: number,
): Promise<void> {
  const declarations = declarationsFor(context, capability);
  const all = (await Promise.all(declarations.map((one) => read(one, limit)))).flat();
  const handovers = all.sort((left, right) => left.startedAt - right.startedAt).slice(-limit);
  output.result({ handovers }, () =>
    handovers.length === 0 ? 'no handovers yet' : handovers.map(handoverText).join('\n\n'),
  );
}

async function read(declaration: DataDeclaration, limit: number): Promise<HandoverView[]> {
  const told: HandoverView[] = [];
  for (const side of Object.values(openEachSide(declaration))) {
    if (side instanceof Error) continue;
    try {
      if (!(await side.installation())) continue;
      told.push(...(await handoversOf(side, limit)));
    } finally {
      await side.close();
    }
  }
  return told;
}

function handoverText(record: HandoverView): string {
  const { capability, from, to, epoch, position, outcome, reason, startedAt, holdMs, steps } =
    record;
  const end = outcome === 'aborted' ? `taken back: ${reason ?? ''}` : (outcome ?? 'under way');
  const hold = holdMs === null ? '' : `, hold ${duration(holdMs)}`;
  const at = new Date(startedAt).toISOString();
  const upto = position === null ? '' : `, position ${position}`;
  const head = `${capability}  ${from} -> ${to}  epoch ${epoch}${upto}  ${at}  ${end}${hold}`;
  const lines = triesOf(steps).map(({ first, last, count }) => {
    const again = count === 1 ? null : `${count} times, until +${last.at - startedAt} ms`;
    const told = [first.detail, again].filter((text) => text !== null).join(', ');
    return [`+${first.at - startedAt} ms`, first.step, told];
  });
  return lines.length === 0 ? head : `${head}\n${table(lines, '  ')}`;
}

interface Tries {
  readonly first: JournalEntry;
  readonly last: JournalEntry;
  readonly count: number;
}

/** A step that had to be tried again and again is told once. */
function triesOf(steps: readonly JournalEntry[]): Tries[] {
  const tries: Tries[] = [];
  for (const entry of steps) {
    const before = tries.at(-1);
    const again = before?.first.step === entry.step && before.first.detail === entry.detail;
    if (again) tries[tries.length - 1] = { ...before, last: entry, count: before.count + 1 };
    else tries.push({ first: entry, last: entry, count: 1 });
  }
  return tries;
}
