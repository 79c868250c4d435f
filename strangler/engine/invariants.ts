import { setTimeout as delay } from 'node:timers/promises';
import type { InvariantReading } from '../ownership/handover/proofs.ts';
import type { Measured } from '../sides/side-checks.ts';
import type { SideDatabase } from '../sides/side-database.ts';

/** A figure that must be the same on both sides: for each a query that gives one row. */
export interface Invariant {
  readonly name: string;
  readonly legacy: string;
  readonly extracted: string;
}

const ATTEMPTS = 50;
const LOOK_MS = 1;
const PATIENCE_MS = 200;
/** More changes than this between two looks are not worth looking through. */
const CLOSE = 500;

/**
 * Reads the figures of both sides as of one position of the source's feed, while both are in use:
 * the source first, then the target as soon as it has applied what the source had by then. What was
 * applied beyond that must be no change of a row, or both are read again.
 * @param both whether the target owns some of the rows, too: what it has written must be applied as well
 */
export async function readInvariants(
  invariants: readonly Invariant[],
  source: SideDatabase,
  target: SideDatabase,
  both = false,
): Promise<readonly InvariantReading[]> {
  if (invariants.length === 0) return [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const own = await source.checks.measure(invariants.map((one) => one[source.side]));
    const other = await whenApplied(target, own.position, invariants);
    if (other === undefined || !(await unchanged(source, own.position, other.applied))) continue;
    if (both && !(await unchanged(target, own.applied, other.position))) {
      await delay(LOOK_MS);
      continue;
    }
    const sides = { [source.side]: own, [target.side]: other } as Record<
      SideDatabase['side'],
      Measured
    >;
    return invariants.map(({ name }, index) => reading(name, sides, index));
  }
  const problem = 'the sides change too fast to be read as of one moment; try again';
  return invariants.map(({ name }) => ({ name, legacy: '', extracted: '', problem }));
}

async function whenApplied(
  target: SideDatabase,
  position: number,
  invariants: readonly Invariant[],
): Promise<Measured | undefined> {
  const until = performance.now() + PATIENCE_MS;
  while ((await target.store.appliedPosition()) < position) {
    if (performance.now() > until) return undefined;
    await delay(LOOK_MS);
  }
  return target.checks.measure(invariants.map((one) => one[target.side]));
}

/** Whether no row of a side changed after one position of its feed, up to another. */
async function unchanged(source: SideDatabase, after: number, upto: number): Promise<boolean> {
  if (upto === after) return true;
  if (upto - after > CLOSE) return false;
  const { changes } = await source.feed.read(after, CLOSE);
  return changes.every(({ op, position }) => op === 'heartbeat' || position > upto);
}

function reading(
  name: string,
  { legacy, extracted }: Readonly<Record<SideDatabase['side'], Measured>>,
  index: number,
): InvariantReading {
  const [left, right] = [legacy.figures[index], extracted.figures[index]];
  const problems = [
    left && 'problem' in left ? `legacy: ${left.problem}` : null,
    right && 'problem' in right ? `extracted: ${right.problem}` : null,
  ].filter((problem) => problem !== null);
  return {
    name,
    legacy: left && 'text' in left ? left.text : '',
    extracted: right && 'text' in right ? right.text : '',
    problem: problems.length > 0 ? problems.join('; ') : null,
  };
}
