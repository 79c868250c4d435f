/**
 * What a command that judges a system comes to: it kept what was promised, it broke something of it, or
 * the run could not show either, because it was not carried out to its end or nothing happened in it.
 */
export type Verdict = 'kept' | 'broke' | 'inconclusive';

/** Exit codes; 2 is for wrong usage, 130 for Ctrl-C. */
export const EXIT_CODES: Readonly<Record<Verdict, number>> = {
  kept: 0,
  broke: 1,
  inconclusive: 3,
};

/** Of several runs: one that broke a promise outweighs all, one that shows nothing those that kept them. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('broke')) return 'broke';
  return verdicts.includes('inconclusive') || verdicts.length === 0 ? 'inconclusive' : 'kept';
}
