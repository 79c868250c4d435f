import type { DataPlane } from '../data-plane.ts';
import type { Fences } from '../direction.ts';
import { SqliteSideDatabase } from '../sqlite/index.ts';
import type { Mapping } from '../mapping/index.ts';
import type { SideDatabase } from '../side-database.ts';
import type { SideName } from '../side.ts';

/** One capability, ready to be worked on: both databases, and what moves rows between them. */
export interface Plane {
  readonly sides: Readonly<Record<SideName, SideDatabase>>;
  readonly data: DataPlane;
}

/** Where a capability's rows live, and how they differ. */
export interface DataDeclaration {
  readonly urls: Readonly<Record<SideName, string>>;
  readonly mapping: Mapping;
}

/** Opens one side's database. @throws an error that names the side, while it does not exist */
export function openSide({ urls, mapping }: DataDeclaration, side: SideName): SideDatabase {
  try {
    return new SqliteSideDatabase(urls[side], mapping, side);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the ${side} database can't be opened: ${reason}`, { cause: error });
  }
}

/** Opens both sides; what can't be opened is the error that says why. */
export function openEachSide(
  declaration: DataDeclaration,
): Readonly<Record<SideName, SideDatabase | Error>> {
  const attempt = (side: SideName): SideDatabase | Error => {
    try {
      return openSide(declaration, side);
    } catch (error) {
      return error as Error;
    }
  };
  return { legacy: attempt('legacy'), extracted: attempt('extracted') };
}

/** What both fences say, read one after the other. */
export async function fencesOf({ sides }: Plane): Promise<Fences> {
  return {
    legacy: await sides.legacy.store.fence(),
    extracted: await sides.extracted.store.fence(),
  };
}
