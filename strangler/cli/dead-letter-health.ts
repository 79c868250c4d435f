import { START_COMMAND } from '../../chassis/index.ts';
import type { Finding } from '../doctor/index.ts';
import { plural } from '../wording.ts';
import { askDeadLetters } from '../../routing/index.ts';
import type { LetterReport } from '../../routing/index.ts';
import type { Context } from './context.ts';
import { step } from '../engine/next-step.ts';
import type { NextStep } from '../engine/next-step.ts';

const LIST = 'fig dead-letters list';

/** How many dead letters an application has, or why it can't be asked. */
export interface DeadLetterCount {
  readonly upstream: string;
  readonly url: string;
  /** By kind, such as `event`; null when it can't be asked. */
  readonly counts: Readonly<Record<string, number>> | null;
  readonly problem: string | null;
}

/** Asks all applications that list dead letters how many there are. */
export async function countDeadLetters(context: Context): Promise<readonly DeadLetterCount[]> {
  return (await askDeadLetters(context, '?limit=0')).map(countOf);
}

function countOf(told: LetterReport): DeadLetterCount {
  const { upstream, server, problem } = told;
  return { upstream, url: server.url, problem, counts: told.problem === null ? told.counts : null };
}

/** A line for each application that has some, or can't be asked. */
export function deadLetterLines(counted: readonly DeadLetterCount[]): readonly string[] {
  return counted.filter(isWorthTelling).map((one) => `${whatOf(one)}; next: ${LIST}`);
}

export function deadLetterSteps(counted: readonly DeadLetterCount[]): readonly NextStep[] {
  return counted.filter(isWorthTelling).map((one) => step(LIST, whatOf(one)));
}

/** The same as findings of the doctor. */
export function deadLetterFindings(counted: readonly DeadLetterCount[]): readonly Finding[] {
  return counted.filter(isWorthTelling).map((one): Finding => {
    const about = { capability: null, what: whatOf(one), repair: null } as const;
    if (one.counts === null) {
      const remedies = [{ command: START_COMMAND, reason: 'starts what is away' }];
      const why = 'whether it has dead letters is unknown';
      return { ...about, code: 'dead_letters_unknown', level: 'broken', why, remedies };
    }
    const why = 'it is not tried again by itself: a person has to retry it, or to drop it';
    const remedies = [{ command: LIST, reason: 'names each, with its reason' }];
    return { ...about, code: 'dead_letters', level: 'decision', why, remedies };
  });
}

function isWorthTelling({ counts }: DeadLetterCount): boolean {
  return counts === null || Object.values(counts).some((count) => count > 0);
}

function whatOf({ upstream, url, counts, problem }: DeadLetterCount): string {
  if (counts === null) return `dead letters of ${upstream} are not known: ${problem} (${url})`;
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return `dead letters of ${upstream}: ${some.map(([kind, count]) => plural(count, kind)).join(', ')}`;
}
