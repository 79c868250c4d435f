import { withTempDir } from '../../support/index.ts';
import type { Case } from './case.ts';
import { nginxVersion, withFacade, withNginx } from './target.ts';
import type { Target } from './target.ts';

/** What was seen of one case. */
export interface Outcome {
  readonly each: Case;
  readonly ours: string;
  /** Undefined where the case is not about nginx, or nginx is not installed. */
  readonly nginx: string | undefined;
}

/** Runs cases against our facade, and at the same time against nginx where there is one. */
export function runCases(cases: readonly Case[]): Promise<readonly Outcome[]> {
  return withTempDir((folder) =>
    withFacade(folder, (facade) =>
      nginxVersion() === undefined
        ? runAgainst(cases, facade, undefined)
        : withNginx(folder, (nginx) => runAgainst(cases, facade, nginx)),
    ),
  );
}

async function runAgainst(
  cases: readonly Case[],
  facade: Target,
  nginx: Target | undefined,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const each of cases) {
    const compared = each.oursOnly ? undefined : nginx;
    const [ours, theirs] = await Promise.all([
      each.run(facade),
      compared ? each.run(compared) : undefined,
    ]);
    outcomes.push({ each, ours, nginx: theirs });
  }
  return outcomes;
}
