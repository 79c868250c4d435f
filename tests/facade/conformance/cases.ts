import { answerCases } from './answer-cases.ts';
import type { Case } from './case.ts';
import { framingCases } from './framing-cases.ts';
import { largeCases } from './large-cases.ts';
import { leavingCases } from './leaving-cases.ts';
import { passingCases } from './passing-cases.ts';
import { limitCases, targetCases } from './target-cases.ts';

/** Everything that the table in docs/architecture/http-conformance.md has a row for. */
export const cases: readonly Case[] = [
  ...framingCases,
  ...targetCases,
  ...limitCases,
  ...passingCases,
  ...largeCases,
  ...answerCases,
  ...leavingCases,
];
