import { openEachSide } from '../engine/index.ts';
import type { DataDeclaration } from '../engine/index.ts';
import type { SideDatabase } from '../sides/side-database.ts';
import type { SideName } from '../../routing/side.ts';

export type BothSides = Readonly<Record<SideName, SideDatabase>>;

/** Opens both databases of a capability for one piece of work. @throws when one can't be opened */
export async function withSides<T>(
  declaration: DataDeclaration,
  work: (sides: BothSides) => Promise<T>,
): Promise<T> {
  const { legacy, extracted } = openEachSide(declaration);
  try {
    for (const side of [legacy, extracted]) if (side instanceof Error) throw side;
    return await work({ legacy, extracted } as BothSides);
  } finally {
    for (const side of [legacy, extracted]) if (!(side instanceof Error)) await side.close();
  }
}
