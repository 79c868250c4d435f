import { otherSide, SIDES } from '../../../routing/side.ts';
import type { SideName } from '../../../routing/side.ts';
import type { Parting } from '../../replication/copy/index.ts';
import { plural } from '../../wording.ts';
import type { DatabaseFacts } from '../facts.ts';
import type { Remedy } from '../finding.ts';
import { doctor } from './case.ts';
import type { Case } from './case.ts';

/** The ways out where one database is right and only a person knows which. */
export function trusting(one: Case): readonly Remedy[] {
  return SIDES.flatMap((side) => trustingOne(one, side));
}

/** The same, where one side alone can be the right one. */
export function trustingOne(one: Case, side: SideName): readonly Remedy[] {
  const { fences, capability, parting } = one.facts;
  const other = otherSide(side);
  const owns = fences?.[side].state === 'open' && fences[other].state !== 'open';
  const alone = isCompared(parting) ? parting.only[other].rows : null;
  const lost =
    alone === null ? '' : alone === 0 ? '' : `, and ${plural(alone, 'row')} of ${other} are lost`;
  const { command } = doctor(one, ` --trust ${side}`);
  const without = owns
    ? {
        command: `fig backfill ${capability} --restart`,
        reason: `${side}'s rows are right as they are; the other side is copied anew${lost}`,
      }
    : { command, reason: `${side}'s rows are right: it becomes the owner${lost}` };
  if (alone === 0) return [without];
  const count = alone === null ? 'the rows' : `the ${plural(alone, 'row')}`;
  const keep = {
    command: `${command} --keep`,
    reason: `${side}'s rows are right, and it takes over ${count} that only ${other} has`,
  };
  return [keep, without];
}

/** Whether it is known what each side alone holds. */
export function isCompared(parting: DatabaseFacts['parting']): parting is Parting {
  return parting !== null && typeof parting !== 'string';
}

/** What was compared, in numbers and names; never more than that. */
export function partingText({ facts: { parting } }: Case): string {
  if (parting === null) return 'the two have not been compared';
  if (typeof parting === 'string') return `the two have not been compared: ${parting}`;
  const { only, different } = parting;
  const kinds = [
    ['only on legacy', only.legacy],
    ['only on extracted', only.extracted],
    ['not the same on both', different],
  ] as const;
  const said = kinds
    .filter(([, { rows }]) => rows > 0)
    .map(([where, { rows, named }]) => {
      const more = rows > named.length ? ', …' : '';
      return `${plural(rows, 'row')} ${where} (${named.join(', ')}${more})`;
    });
  return said.length === 0 ? 'compared row by row, the two hold the same' : said.join('; ');
}
