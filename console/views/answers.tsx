import type { Status } from '../../facade/admin/index.ts';
import { Empty } from '../parts/empty.tsx';
import { age, json, plural } from '../words.ts';
import { groupsOf } from './mismatch-groups.ts';
import type { Group } from './mismatch-groups.ts';

/** Answers of both sides that were compared while reads were shadowed. */
export function Answers({
  status,
  now,
}: {
  readonly status: Status | undefined;
  readonly now: number;
}) {
  if (!status) return null;
  const groups = status.capabilities.flatMap(({ name, experiments }) =>
    groupsOf(name, experiments.mismatches),
  );
  const compared = status.capabilities.reduce((sum, one) => sum + one.experiments.compared, 0);
  const mismatched = status.capabilities.reduce((sum, one) => sum + one.experiments.mismatched, 0);
  const kept = status.capabilities.reduce((sum, one) => sum + one.experiments.mismatches.length, 0);
  const [first] = status.capabilities;
  return (
    <section aria-label="answers">
      <h2>
        Answers{' '}
        <span class="dim">
          {plural(mismatched, 'difference')} in {plural(compared, 'comparison')}
          {mismatched > kept && `; the newest ${kept} are grouped here`}
        </span>
      </h2>
      {groups.length === 0 ? (
        compared > 0 ? (
          <p class="good">Both sides have answered alike.</p>
        ) : (
          <Empty
            title="No answers were compared yet"
            {...(first ? { command: `fig shadow ${first.name} 100` } : {})}
          />
        )
      ) : (
        groups.map((group) => <GroupView key={group.id} group={group} now={now} />)
      )}
    </section>
  );
}

function GroupView({ group, now }: { readonly group: Group; readonly now: number }) {
  const { capability, route, path, kind, count: times, first, last, example } = group;
  return (
    <article class="diff">
      <header>
        <code class="where">{path === '' ? '(body)' : path}</code>
        <span class="kind">{kind}</span>
        <span>{route}</span>
        <span class="dim">{capability}</span>
        <span class="figures">
          {times} ×, {times > 1 && `first ${age(now - first)}, `}last {age(now - last)}
        </span>
      </header>
      <pre class="lines">
        <del>
          <span aria-hidden="true">− </span>
          {json(example.legacy)}
        </del>
        <ins>
          <span aria-hidden="true">+ </span>
          {json(example.extracted)}
        </ins>
      </pre>
      <footer class="dim">
        <span>
          legacy −, extracted +; such as <code>{example.request}</code>
        </span>
        <details>
          <summary>expected?</summary>
          <p>
            If this may differ, let the configuration say so and why; this page writes nothing.
            Among <code>compare</code> of {capability} in <code>fig.config.ts</code>:
          </p>
          <pre class="lines">
            <ins>
              <span aria-hidden="true">+ </span>
              {`ignore: [{ path: '${group.path}', reason: 'expected: …' }]`}
            </ins>
          </pre>
        </details>
      </footer>
    </article>
  );
}
