import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Status } from '../../facade/admin/index.ts';
import type { LastComparisons, ParkedList } from '../../strangler/engine/index.ts';
import { get, post } from '../api.ts';
import type { Refusal } from '../api.ts';
import type { Live } from '../live.ts';
import { Command } from '../parts/command.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { Empty } from '../parts/empty.tsx';
import { Refused } from '../parts/refused.tsx';
import { age, json, plural } from '../words.ts';
import { groupsOf } from './mismatch-groups.ts';
import type { Group } from './mismatch-groups.ts';

interface Letters {
  readonly applications: readonly {
    readonly upstream: string;
    readonly problem: string | null;
    readonly deadLetters?: readonly {
      readonly kind: string;
      readonly id: string;
      readonly what: string;
      readonly reason: string;
      readonly attempts: number;
      readonly since: number;
    }[];
  }[];
}

interface Found {
  readonly status: Status | undefined;
  readonly comparisons: LastComparisons | undefined;
  readonly parked: ParkedList | undefined;
  readonly letters: Letters | undefined;
}

/** Whether both sides say and hold the same: answers, rows, and what could not be carried. */
export function Differences({ live, now }: { readonly live: Live; readonly now: number }) {
  const [found, setFound] = useState<Found>();
  const [refusal, setRefusal] = useState<Refusal>();
  const [turn, setTurn] = useState(0);
  const news = (live.state?.facade.capabilities ?? [])
    .map(({ experiments }) => `${experiments.mismatched} ${experiments.compared > 0}`)
    .concat(
      (live.engine?.status.capabilities ?? []).map(
        ({ reconcile, parked }) => `${reconcile?.at} ${parked?.changes}`,
      ),
    )
    .join();
  useEffect(() => {
    const read = async (): Promise<void> => {
      const all = await readAll();
      setFound(all.found);
      setRefusal(all.refusal);
    };
    void read();
  }, [news, turn]);
  if (!found) {
    return (
      <div class="differences">
        <h1>Differences</h1>
        <p class="dim">reading …</p>
      </div>
    );
  }
  const again = (): void => setTurn((before) => before + 1);
  return (
    <div class="differences">
      <h1>Differences</h1>
      {refusal && <Refused refusal={refusal} mend={(command) => <Command text={command} />} />}
      <Answers status={found.status} now={now} />
      <Rows comparisons={found.comparisons} now={now} />
      <Stuck parked={found.parked} now={now} again={again} />
      <LettersView letters={found.letters} now={now} again={again} />
    </div>
  );
}

async function readAll(): Promise<{
  readonly found: Found;
  readonly refusal: Refusal | undefined;
}> {
  const [status, comparisons, parked, letters] = await Promise.all([
    get<Status>('/status'),
    get<LastComparisons>('/engine/comparisons'),
    get<ParkedList>('/engine/parked'),
    get<Letters>('/dead-letters'),
  ]);
  const refused = [status, comparisons, parked, letters].find((answer) => !answer.ok);
  return {
    found: {
      status: status.ok ? status.body : undefined,
      comparisons: comparisons.ok ? comparisons.body : undefined,
      parked: parked.ok ? parked.body : undefined,
      letters: letters.ok ? letters.body : undefined,
    },
    refusal: refused && !refused.ok ? refused.refusal : undefined,
  };
}

/** Answers of both sides that were compared while reads were shadowed. */
function Answers({ status, now }: { readonly status: Status | undefined; readonly now: number }) {
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

/** Rows that the last comparison found to differ, with both images. */
function Rows({
  comparisons,
  now,
}: {
  readonly comparisons: Found['comparisons'];
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

interface LetterProps {
  readonly now: number;
  readonly again: () => void;
}

/** Changes that the other side could not take. */
function Stuck({ parked, now, again }: LetterProps & { readonly parked: Found['parked'] }) {
  if (!parked) return null;
  return (
    <section aria-label="dead-lettered changes">
      <h2>
        Dead-lettered changes <span class="dim">each blocks only its own aggregate</span>
      </h2>
      {parked.unread.map(({ capability, reason }) => (
        <p key={capability} class="alarm">
          What is dead-lettered of {capability} can’t be read: {reason}
        </p>
      ))}
      {parked.parked.length === 0 && parked.unread.length === 0 && (
        <p class="good">Every change was applied.</p>
      )}
      {parked.parked.map(({ capability, at, id, root, reason, attempts, since, changes }) => (
        <Letter
          key={`${capability} ${id}`}
          where={root}
          kind="change"
          what={`${capability} at ${at}, ${plural(changes.length, 'change')}`}
          reason={reason}
          when={`tried ${attempts} ×, since ${age(now - since)}`}
          again={again}
          verbs={[
            {
              name: 'retry',
              command: `fig parked retry ${capability} ${id}`,
              will: `The owner’s rows, as they are now, would be brought to ${at}.`,
              give: () =>
                post('/engine/changes', {
                  capability,
                  change: { kind: 'retry-parked', side: at, roots: [root] },
                }),
            },
            {
              name: 'skip',
              command: `fig parked skip ${capability} ${id}`,
              will: `${at} goes without, and a full comparison is demanded before the next handover.`,
              give: () =>
                post('/engine/changes', {
                  capability,
                  change: { kind: 'skip-parked', side: at, roots: [root] },
                }),
              typed: root,
            },
          ]}
        >
          {changes.map(({ position, op, table, row }) => (
            <code key={position}>
              {op} {table} {row}
            </code>
          ))}
        </Letter>
      ))}
    </section>
  );
}

/** Events and steps of sagas that applications gave up. */
function LettersView({
  letters,
  now,
  again,
}: LetterProps & { readonly letters: Found['letters'] }) {
  if (!letters) return null;
  const { applications } = letters;
  const all = applications.flatMap(({ upstream, deadLetters = [] }) =>
    deadLetters.map((letter) => ({ upstream, ...letter })),
  );
  return (
    <section aria-label="dead letters of applications">
      <h2>
        Dead letters of applications <span class="dim">events and steps of sagas</span>
      </h2>
      {applications
        .filter(({ problem }) => problem !== null)
        .map(({ upstream, problem }) => (
          <p key={upstream} class="alarm">
            Dead letters of {upstream} are not known: {problem}
          </p>
        ))}
      {applications.length === 0 && (
        <p class="dim">The configuration names no application under deadLetters.</p>
      )}
      {applications.length > 0 &&
        all.length === 0 &&
        applications.every(({ problem }) => problem === null) && (
          <p class="good">Nothing was given up.</p>
        )}
      {all.map(({ upstream, kind, id, what, reason, attempts, since }) => {
        const path = `/dead-letters/${encodeURIComponent(upstream)}/${encodeURIComponent(kind)}/${encodeURIComponent(id)}`;
        return (
          <Letter
            key={`${upstream} ${kind} ${id}`}
            where={what}
            kind={kind}
            what={upstream}
            reason={reason}
            when={`tried ${attempts} ×, since ${age(now - since)}`}
            again={again}
            verbs={[
              {
                name: 'retry',
                command: `fig dead-letters retry --kind ${kind} ${id}`,
                will: `${upstream} would try it again.`,
                give: () => post(`${path}/retry`),
              },
              {
                name: 'drop',
                command: `fig dead-letters drop --kind ${kind} ${id}`,
                will: `${upstream} would forget it: it never happens.`,
                give: () => post(`${path}/drop`),
                typed: id,
              },
            ]}
          />
        );
      })}
    </section>
  );
}

interface VerbView {
  readonly name: string;
  readonly command: string;
  readonly will: string;
  readonly give: () => ReturnType<typeof post>;
  /** Of one that can't be undone: what has to be typed. */
  readonly typed?: string;
}

interface LetterViewProps {
  readonly where: string;
  readonly kind: string;
  readonly what: string;
  readonly reason: string;
  readonly when: string;
  readonly verbs: readonly VerbView[];
  readonly again: () => void;
  readonly children?: JSX.Element | JSX.Element[];
}

function Letter({ where, kind, what, reason, when, verbs, again, children }: LetterViewProps) {
  const [asked, setAsked] = useState<VerbView>();
  const [refusal, setRefusal] = useState<Refusal>();
  const give = async (): Promise<void> => {
    const answer = await asked?.give();
    if (answer && !answer.ok) setRefusal(answer.refusal);
    setAsked(undefined);
    again();
  };
  return (
    <article class="diff">
      <header>
        <code class="where">{where}</code>
        <span class="kind">{kind}</span>
        <span>{what}</span>
        <span class="figures">{when}</span>
      </header>
      <p class="warn">{reason}</p>
      {children && <div class="changes">{children}</div>}
      {refusal && <Refused refusal={refusal} mend={(command) => <Command text={command} />} />}
      {asked ? (
        <Confirm
          question={asked.will}
          label={asked.name}
          typed={asked.typed}
          yes={give}
          no={() => setAsked(undefined)}
        />
      ) : (
        <footer>
          {verbs.map((verb) => (
            <span key={verb.name} class="verb">
              <button
                type="button"
                class={verb.typed === undefined ? 'plain' : 'plain danger'}
                onClick={() => setAsked(verb)}
              >
                {verb.name} …
              </button>
              <Command text={verb.command} />
            </span>
          ))}
        </footer>
      )}
    </article>
  );
}
