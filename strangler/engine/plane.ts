import type { Logger } from '../../chassis/index.ts';
import { DataPlane } from '../data-plane.ts';
import type { Fences } from '../direction.ts';
import type { Mapping } from '../mapping/index.ts';
import type { SideDatabase } from '../side-database.ts';
import type { SideName } from '../side.ts';
import { openSide, openSides } from '../sides.ts';

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

/** Opens both sides, and what moves rows between them. @throws while a database can't be opened */
export function openPlane(
  { urls, mapping }: DataDeclaration,
  { redisUrl, log }: { readonly redisUrl?: string | undefined; readonly log: Logger },
): Plane {
  const sides = openSides(mapping, urls);
  return { sides, data: new DataPlane({ mapping, databases: sides, redisUrl, log }) };
}

/** Opens both sides; what can't be opened is the error that says why. */
export function openEachSide({
  urls,
  mapping,
}: DataDeclaration): Readonly<Record<SideName, SideDatabase | Error>> {
  const attempt = (side: SideName): SideDatabase | Error => {
    try {
      return openSide(urls[side], mapping, side);
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
