import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { LetterList } from '../../facade/admin/index.ts';
import type { ParkedList } from '../../strangler/engine/index.ts';
import { post } from '../api.ts';
import type { Refusal } from '../api.ts';
import { Command } from '../parts/command.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { Refused } from '../parts/refused.tsx';
import { age, plural } from '../words.ts';

interface LetterProps {
  readonly now: number;
  readonly again: () => void;
}

/** Changes that the other side could not take. */
export function ParkedChanges({
  parked,
  now,
  again,
}: LetterProps & { readonly parked: ParkedList | undefined }) {
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
              give: (why) => {
                const change = { kind: 'retry-parked', side: at, roots: [root] };
                return post('/engine/changes', { capability, change }, why);
              },
            },
            {
              name: 'skip',
              command: `fig parked skip ${capability} ${id}`,
              will: `${at} goes without, and a full comparison is demanded before the next handover.`,
              give: (why) => {
                const change = { kind: 'skip-parked', side: at, roots: [root] };
                return post('/engine/changes', { capability, change }, why);
              },
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
export function ApplicationLetters({
  letters,
  now,
  again,
}: LetterProps & { readonly letters: LetterList | undefined }) {
  if (!letters) return null;
  const { applications } = letters;
  const all = applications.flatMap((one) =>
    one.problem === null
      ? one.deadLetters.map((letter) => ({ upstream: one.upstream, ...letter }))
      : [],
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
                give: (why) => post(`${path}/retry`, {}, why),
              },
              {
                name: 'drop',
                command: `fig dead-letters drop --kind ${kind} ${id}`,
                will: `${upstream} would forget it: it never happens.`,
                give: (why) => post(`${path}/drop`, {}, why),
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
  readonly give: (why: string) => ReturnType<typeof post>;
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
  const give = async (why: string): Promise<void> => {
    const answer = await asked?.give(why);
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
