import { START_COMMAND } from '../../../chassis/index.ts';
import { fencesText, fenceStory, nextOf, nextStory } from '../fence-story.ts';
import type { Finding } from '../finding.ts';
import { doctor, finding } from './case.ts';
import { SIDES } from '../../../routing/side.ts';
import type { Case } from './case.ts';
import { trusting } from './decision.ts';

/** A handover has no outcome yet. */
export function interrupted(one: Case): readonly Finding[] {
  const { facts, engine } = one;
  const { unfinished, fences, now } = facts;
  if (!unfinished || !fences) return [];
  const next = nextOf(facts);
  const { from, to, epoch, deadline, startedAt } = unfinished;
  const what = `a handover from ${from} to ${to} (epoch ${epoch}) is unfinished for ${Math.round((now - startedAt) / 1_000)} s`;
  const means = `${fencesText(fences)}: ${fenceStory(fences, unfinished)}; ${nextStory(unfinished, next)}`;
  if (engine?.standing === 'leader') {
    const late = now > deadline + 5_000;
    return [
      finding(one, late ? 'handover_stuck' : 'handover_under_way', {
        level: late ? 'broken' : 'notice',
        what,
        why: `${means}; the engine is at it`,
        remedies: [{ command: `fig journal ${facts.capability}`, reason: 'tells step by step' }],
      }),
    ];
  }
  if (next.kind === 'alarm') {
    return [
      finding(one, 'handover_impossible', {
        level: 'decision',
        what,
        why: means,
        remedies: trusting(one),
        trusts: SIDES,
      }),
    ];
  }
  const remedies = [doctor(one), { command: START_COMMAND, reason: 'an engine does the same' }];
  const repair = { kind: 'end_handover' } as const;
  // A person's decision has no time to lose: one that was cut off may be said again.
  const trusts = deadline === startedAt ? [to] : [];
  return [finding(one, 'handover_interrupted', { what, why: means, remedies, repair, trusts })];
}
