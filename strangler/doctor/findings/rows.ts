import { decisionText, isBrokenOff } from '../finding.ts';
import type { Finding } from '../finding.ts';
import { doctor, finding } from './case.ts';
import { SIDES } from '../../../routing/side.ts';
import type { Case } from './case.ts';

/** A schema, or Fig's triggers on it, is not what it was. */
export function drifted(one: Case): readonly Finding[] {
  return SIDES.flatMap((side) => {
    const { capability, drift, unfit } = one.facts;
    if (drift[side].length === 0) return [];
    const why = 'writes may pass the fence or stay out of the feed, and no handover begins';
    const what = drift[side].join('; ');
    if (unfit[side].length > 0) {
      const unusable = `the mapping can't be used with it: ${unfit[side].join('; ')}; ${why}`;
      const remedies = [{ command: `fig check ${capability}`, reason: 'once that is mended' }];
      return [finding(one, 'schema_unfit', { what, why: unusable, remedies })];
    }
    const repair = { kind: 'reinstall', side } as const;
    const accept = `fig check ${capability} --accept`;
    const remedies = [
      doctor(one),
      { command: accept, reason: 'where the schema is meant to be as it is now' },
    ];
    return [finding(one, 'schema_drift', { what, why, remedies, repair })];
  });
}

/** The feed does not hold what the other side needs next. */
export function lostFeed(one: Case): readonly Finding[] {
  const { feedLost, capability } = one.facts;
  if (feedLost === null) return [];
  const why = 'the other side can only be copied again; until then it falls behind';
  const remedies = [
    { command: `fig backfill ${capability} --restart`, reason: 'copies everything' },
  ];
  return [finding(one, 'feed_lost', { what: feedLost, why, remedies })];
}

/** Both sides have to be compared. */
export function demanded(one: Case): readonly Finding[] {
  const { demand, capability, fences } = one.facts;
  if (demand === null) return [];
  // A decision that was cut off before it took effect may be said again.
  const trusts = SIDES.filter(
    (side) => demand.reason === decisionText(side) && fences?.[side].state !== 'open',
  );
  if (isBrokenOff(demand.reason)) {
    const why = 'what a gate asks for fails: no handover begins until it comes to its end';
    const remedies = [
      { command: `fig check ${capability}`, reason: 'may name the column or the row' },
      { command: `fig reconcile ${capability}`, reason: 'once that is mended' },
    ];
    return [finding(one, 'remedy_fails', { what: demand.reason, why, remedies })];
  }
  const what = `both sides have to be compared as a whole: ${demand.reason}`;
  const why = 'nothing is handed over before that, and a difference would be a lost write';
  const remedies = [{ command: `fig reconcile ${capability}`, reason: 'compares all rows' }];
  return [finding(one, 'reconcile_demanded', { what, why, remedies, trusts })];
}

/** One side could not take changes. */
export function parkedChanges(one: Case): readonly Finding[] {
  const { parked, capability } = one.facts;
  if (parked === null) return [];
  const what = `${parked.changes} changes could not be applied and are parked: ${parked.reason}`;
  const why = 'their rows are old on the other side, reads stay with the owner, no handover begins';
  const remedies = [
    { command: `fig parked list ${capability}`, reason: 'shows which rows to mend' },
    { command: `fig parked retry ${capability}`, reason: 'once they are mended' },
  ];
  return [finding(one, 'changes_parked', { what, why, remedies })];
}

/** Where the mapping gives a reason why this does no harm, that it happens is still worth knowing. */
export function dangling(one: Case): readonly Finding[] {
  const found = one.facts.dangling;
  if (found.length === 0) return [];
  const what = found.join('; ');
  const why =
    'no database enforces a foreign key between a table that moves and one that does not, and the engine ' +
    'carries out only cascades that the mapping declares; a dump of this database can not be restored with ' +
    'the key, and the rows are for the business to mend';
  return [finding(one, 'dangling_rows', { level: 'notice', what, why })];
}
