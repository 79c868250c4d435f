import type { Logger } from '../../chassis/index.ts';
import { Replication } from '../replication/replication.ts';
import type { Mapping } from '../mapping/index.ts';
import type { Cohorts } from '../../routing/index.ts';
import type { SideDatabase } from '../sides/side-database.ts';
import type { SideName } from '../../routing/side.ts';
import { openSide, openSides } from '../sides/sides.ts';
import { ContractWatch } from './contract-watch.ts';
import type { ContractDeclaration } from './contract-watch.ts';
import type { FacadeDrains } from './facade-registry.ts';
import { NO_FACADES } from './facade-registry.ts';
import type { Invariant } from './invariants.ts';

/** One capability, ready to be worked on: both databases, and what moves rows between them. */
export interface OpenCapability {
  readonly sides: Readonly<Record<SideName, SideDatabase>>;
  readonly data: Replication;
  readonly declaration: DataDeclaration;
  readonly contract: ContractWatch;
  /** Who is asked to let writes finish first, see `drainsFirst`. */
  readonly facades: FacadeDrains;
}

/** Where a capability's rows live, and how they differ. */
export interface DataDeclaration {
  readonly urls: Readonly<Record<SideName, string>>;
  readonly mapping: Mapping;
  readonly invariants?: readonly Invariant[];
  /** Absent: nobody has to compare what both sides answer. */
  readonly contract?: ContractDeclaration;
  readonly completion?: CompletionDeclaration;
  /** Sides whose application can't say FENCED: their writes finish before they are closed. */
  readonly drainFirst?: readonly SideName[];
  /** Whether single keys may move ahead of the rest, or why not. */
  readonly cohorts?: Cohorts | undefined;
}

/** When a capability may be completed, and what is told then. */
export interface CompletionDeclaration {
  readonly soakMs: number;
  readonly quietMs: number;
  /** ms since 1970; the end of the soak when left out. */
  readonly sunset?: number | undefined;
  /** Base URL of where the capability is served after a switch. */
  readonly successor: string;
  /** What of flags, configuration and code nobody needs any more afterwards, in words. */
  readonly leftovers: readonly string[];
}

interface OpenOptions {
  readonly redisUrl?: string | undefined;
  readonly log: Logger;
  /** None where no engine runs. */
  readonly facades?: FacadeDrains | undefined;
}

/** Opens both sides, and what moves rows between them. @throws while a database can't be opened */
export function openCapability(
  declaration: DataDeclaration,
  { redisUrl, log, facades = NO_FACADES }: OpenOptions,
): OpenCapability {
  const { urls, mapping } = declaration;
  const sides = openSides(mapping, urls);
  const data = new Replication({ mapping, databases: sides, redisUrl, log });
  const contract = new ContractWatch(mapping.capability, declaration.contract);
  return { sides, data, declaration, contract, facades };
}

/** Whether a side's writes finish before it is closed, since its application can't say FENCED. */
export function drainsFirst({ declaration }: OpenCapability, side: SideName): boolean {
  return declaration.drainFirst?.includes(side) ?? false;
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
