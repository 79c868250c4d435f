import { someOf } from '../../wording.ts';
import { fencesText, fenceStory } from '../fence-story.ts';
import type { Finding } from '../finding.ts';
import { doctor, finding } from './case.ts';
import { SIDES } from '../../../routing/side.ts';
import type { Case } from './case.ts';
import { partingText, trusting } from './decision.ts';

/** Not exactly one side takes the writes. */
export function owners(one: Case): readonly Finding[] {
  const { fences, unfinished } = one.facts;
  if (!fences) return [];
  const { legacy, extracted } = fences;
  const what = `${fencesText(fences)}: ${fenceStory(fences, unfinished)}`;
  if (legacy.state === 'open' && extracted.state === 'open') {
    const why = `only a restored backup, or a hand in the fences, gets there; writes are being split; ${partingText(one)}`;
    if (legacy.epoch === extracted.epoch) {
      const remedies = trusting(one);
      const level = 'decision';
      return [finding(one, 'two_owners', { level, what, why, remedies, trusts: SIDES })];
    }
    const side = legacy.epoch < extracted.epoch ? 'legacy' : 'extracted';
    const repair = { kind: 'close', side, fence: fences[side] } as const;
    const remedies = [doctor(one)];
    // The fence that is behind is closed without asking; a person may know better.
    return [finding(one, 'two_owners', { what, why, remedies, repair, trusts: SIDES })];
  }
  if (legacy.state === 'open' || extracted.state === 'open' || unfinished) return [];
  const why = `every write is refused until you say which database is right; ${partingText(one)}`;
  const remedies = trusting(one);
  return [finding(one, 'no_owner', { level: 'decision', what, why, remedies, trusts: SIDES })];
}

/** A key whose owner is not one is as bad for those whose rows these are as for all. */
export function keyOwners(one: Case): readonly Finding[] {
  const { astray, fences } = one.facts;
  const [first] = astray;
  const rest = fences && SIDES.filter((side) => fences[side].state === 'open');
  // Where the rest has not one owner either, that comes first, and what mends it mends all.
  if (!first || rest?.length !== 1) return [];
  const keys = someOf(astray.map(({ key }) => key));
  const what = `${keys}: ${fencesText(first)}: ${fenceStory(first, null)}`;
  const why =
    'single keys moved ahead of the rest, and a restored backup, or a hand in the fences, left them ' +
    'without exactly one owner';
  const twice = astray.filter(({ legacy, extracted }) => legacy.state === extracted.state);
  const behind = twice.filter(({ legacy, extracted }) => legacy.epoch !== extracted.epoch);
  if (first.legacy.state !== 'open' || behind.length !== astray.length) {
    const remedies = SIDES.map((side) => ({
      command: doctor(one, ` --trust ${side}`).command,
      reason: `${side}'s rows are right: it becomes the owner of everything`,
    }));
    const level = 'decision';
    return [finding(one, 'keys_without_owner', { level, what, why, remedies, trusts: SIDES })];
  }
  const side = first.legacy.epoch < first.extracted.epoch ? 'legacy' : 'extracted';
  const repair = { kind: 'close_keys', side, keys: behind } as const;
  const remedies = [doctor(one)];
  return [finding(one, 'keys_owned_twice', { what, why, remedies, repair, trusts: SIDES })];
}
