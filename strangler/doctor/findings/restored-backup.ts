import { otherSide, SIDES } from '../../../routing/side.ts';
import type { SideName } from '../../../routing/side.ts';
import { decisionText } from '../finding.ts';
import type { Finding, Remedy } from '../finding.ts';
import { finding } from './case.ts';
import type { Case } from './case.ts';
import { isCompared, partingText, trusting, trustingOne } from './decision.ts';

/** A restored follower can be made whole again; a restored owner has lost what it had acknowledged. */
export function olderSelf(one: Case): readonly Finding[] {
  const { older, fences, capability, parting } = one.facts;
  return older.map(({ side, reason }) => {
    const what = `${side} was restored from a backup, or replaced: ${reason}`;
    const right = decidedFor(one);
    if (right !== null) {
      const why = `a person has decided that ${right} is right; ${partingText(one)}`;
      // The operator may decide otherwise, but the doctor does not advise it.
      return finding(one, 'older_self', {
        what,
        why,
        remedies: copying(one, right),
        trusts: SIDES,
      });
    }
    const follows = fences?.[otherSide(side)].state === 'open';
    const owner = otherSide(side);
    const compared = isCompared(parting);
    // Rows that differ are as old as the copy; what the owner has not at all, somebody may miss.
    const ahead = compared && parting.only[side].rows > 0;
    if (follows && ahead) {
      const why = `${owner} owns ${capability}, and may lack what ${side} took: ${partingText(one)}`;
      const remedies = trustingOne(one, owner);
      return finding(one, 'older_self', {
        level: 'decision',
        what,
        why,
        remedies,
        trusts: [owner],
      });
    }
    if (follows) {
      const why = compared
        ? `${owner} owns ${capability} and lacks nothing that ${side} has: ${partingText(one)}`
        : `${owner} owns ${capability}, and ${side}'s copy is old; ${partingText(one)}`;
      const remedies = copying(one, owner);
      return finding(one, 'older_self', { what, why, remedies });
    }
    const why = `writes that were acknowledged are missing on ${side}; ${partingText(one)}`;
    const remedies = trusting(one);
    return finding(one, 'older_self', { level: 'decision', what, why, remedies, trusts: SIDES });
  });
}

/** The side that a person has declared right, and that owns everything since; null where none is. */
function decidedFor({ facts: { demand, fences } }: Case): SideName | null {
  const right = SIDES.find((side) => demand?.reason === decisionText(side));
  return right !== undefined && fences?.[right].state === 'open' ? right : null;
}

/** How the other side becomes what the owner is. */
function copying({ facts: { capability } }: Case, owner: SideName): readonly Remedy[] {
  return [
    { command: `fig reconcile ${capability} --repair`, reason: `brings ${owner}'s rows over` },
    { command: `fig backfill ${capability} --restart`, reason: 'copies everything again' },
  ];
}
