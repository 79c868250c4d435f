import type { JSX } from 'preact';
import type { LastComparisons } from '../../strangler/engine/index.ts';
import { Command } from '../parts/command.tsx';
import { Empty } from '../parts/empty.tsx';
import { age, json, plural } from '../words.ts';

/** Rows that the last comparison found to differ, with both images. */
export function RowDifferences({
  comparisons,
  now,
}: {
  readonly comparisons: LastComparisons | undefined;
  readonly now: number;
}) {
  if (!comparisons) return null;
  const { reports, unread } = comparisons;
  return (
    <section aria-label="rows">
      <h2>Rows</h2>
      {unread.map(({ capability, reason }) => (
        <p key={capability} class="alarm">
          What was compared of {capability} can’t be read: {reason}
        </p>
      ))}
      {reports.length === 0 && (
        <Empty title="No rows were compared yet" command="fig reconcile CAPABILITY" />
      )}
      {reports.map(({ capability, clean, pairs, rows, finishedAt, owner, sample }) => {
        const differing = pairs.reduce(
          (sum, one) => sum + one.missing + one.extra + one.different + one.unsettled,
          0,
        );
        return (
          <div key={capability} class="report">
            <p>
              <b>{capability}</b>{' '}
              {clean ? (
                <span class="good">both sides are equal</span>
              ) : (
                <span class="warn">the sides differ in {plural(differing, 'row')}</span>
              )}
              <span class="dim">
                {' '}
                {plural(
                  pairs.reduce((sum, pair) => sum + pair.rows, 0),
                  'row',
                )}{' '}
                compared {age(now - finishedAt)}
                {sample !== null && `, a sample of ${sample} %`}
              </span>{' '}
              {!clean && <Command text={`fig reconcile ${capability} --repair`} />}
            </p>
            {rows.map(({ pair, kind, key, columns, source, target }) => (
              <article class="diff" key={`${pair} ${json(key)}`}>
                <header>
                  <code class="where">{json(key)}</code>
                  <span class="kind">{kind}</span>
                  <span>{pair}</span>
                  {columns.length > 0 && <span class="dim">{columns.join(', ')}</span>}
                </header>
                <RowDiff owner={owner} columns={columns} source={source} target={target} />
              </article>
            ))}
          </div>
        );
      })}
    </section>
  );
}

interface RowDiffProps {
  readonly owner: string;
  readonly columns: readonly string[];
  readonly source: unknown;
  readonly target: unknown;
}

/** Only the columns that differ, where both sides name them alike. */
function RowDiff({ owner, columns, source, target }: RowDiffProps): JSX.Element {
  // Columns have the names of one side: the other may call them otherwise.
  const areNamed = [source, target].every((row) =>
    columns.every((name) => Object.hasOwn(Object(row), name)),
  );
  const of = (row: unknown): string => {
    if (row === null || row === undefined) return 'no such row';
    const entries = Object.entries(row).filter(([name]) => !areNamed || columns.includes(name));
    return json(Object.fromEntries(entries));
  };
  return (
    <pre class="lines">
      <del>
        <span aria-hidden="true">− </span>
        {of(target)}
      </del>
      <ins>
        <span aria-hidden="true">+ </span>
        {of(source)} <span class="dim">as {owner}, the owner, has it</span>
      </ins>
    </pre>
  );
}
