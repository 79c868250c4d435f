import { fencesText, fenceStory } from '../doctor/index.ts';
import type { DatabaseFacts, Finding } from '../doctor/index.ts';
import { plural } from '../wording.ts';
import type { Paint } from '../../chassis/cli/index.ts';

/** One look at everything. */
export interface Examination {
  readonly capabilities: readonly DatabaseFacts[];
  /** The gravest first. */
  readonly findings: readonly Finding[];
}

interface Treatment {
  readonly done: readonly string[];
  readonly failed: readonly string[];
}

/** The whole of `fig doctor`: what was mended, then each capability, then what is around them. */
export function doctorText(
  { capabilities, findings }: Examination,
  { done, failed }: Treatment,
  paint: Paint,
): string {
  const treatment = [
    ...done.map((line) => `${paint('green', 'mended')}  ${line}`),
    ...failed.map((line) => `${paint('red', 'failed')}  ${line}`),
  ];
  const patients = capabilities.map((facts) => {
    const own = findings.filter(({ capability }) => capability === facts.capability);
    return [capabilityText(facts, own, paint), ...own.map((one) => findingText(one, paint))];
  });
  const around = findings.filter(({ capability }) => capability === null);
  const surroundings = around.length > 0 ? [around.map((one) => findingText(one, paint))] : [];
  return [treatment, ...patients, ...surroundings]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function capabilityText(
  { capability, fences, apart, unfinished }: DatabaseFacts,
  findings: readonly Finding[],
  paint: Paint,
): string {
  const ill = findings.some(({ level }) => level !== 'notice');
  const verdict = ill ? paint('red', 'needs care') : paint('green', 'healthy');
  const story = fences ? `\n  ${fencesText(fences)}: ${fenceStory(fences, unfinished)}` : '';
  return `${paint('bold', capability)}  ${verdict}${story}${apart ? `\n  ${apartText(apart)}` : ''}`;
}

function apartText({ legacy, extracted }: NonNullable<DatabaseFacts['apart']>): string {
  const keys = `${plural(legacy + extracted, 'key')} with a fence of ${legacy + extracted === 1 ? 'its' : 'their'} own`;
  return `${keys}: legacy owns ${legacy}, extracted owns ${extracted}`;
}

function findingText({ code, level, what, why, remedies }: Finding, paint: Paint): string {
  const colour = level === 'notice' ? 'cyan' : level === 'decision' ? 'yellow' : 'red';
  return [
    `  ${paint(colour, code)}: ${what}`,
    `    ${why}`,
    ...remedies.map(({ command, reason }) => `    ${command}  ${paint('dim', `# ${reason}`)}`),
  ].join('\n');
}
