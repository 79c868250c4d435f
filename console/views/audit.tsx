import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { AuditList } from '../../facade/admin/index.ts';
import { get } from '../api.ts';
import type { Answer } from '../api.ts';
import { Command } from '../parts/command.tsx';
import { Refused } from '../parts/refused.tsx';
import { duration } from '../../chassis/text/index.ts';
import { json, moment } from '../words.ts';

type Entry = AuditList['entries'][number];

const OUTCOMES = ['all', 'done', 'refused', 'failed', 'open'] as const;

/** Who asked for what, from where, when and why, and what came of it: the trail that `fig audit` prints. */
export function Audit(): JSX.Element {
  const [answer, setAnswer] = useState<Answer<AuditList>>();
  const [outcome, setOutcome] = useState<(typeof OUTCOMES)[number]>('all');
  useEffect(() => void get<AuditList>('/audit').then(setAnswer), []);
  const list = answer?.ok ? answer.body : undefined;
  const shown = list?.entries.filter(
    (entry) => outcome === 'all' || (entry.outcome ?? 'open') === outcome,
  );
  return (
    <div class="audit">
      <h1>Audit</h1>
      <p class="dim">
        What operators have asked for, by fig, by this page or by a program, refused requests
        included. The holder of the operators’ token gives the name; Fig does not check it.
      </p>
      <div class="shares" role="group" aria-label="outcome">
        {OUTCOMES.map((one) => (
          <button
            key={one}
            type="button"
            class="plain"
            aria-pressed={outcome === one}
            onClick={() => setOutcome(one)}
          >
            {one}
          </button>
        ))}
      </div>
      {answer?.ok === false && (
        <Refused refusal={answer.refusal} mend={(command) => <Command text={command} />} />
      )}
      {shown?.length === 0 && <p>Nothing of that kind is recorded yet.</p>}
      {shown && shown.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">when</th>
              <th scope="col">what</th>
              <th scope="col">who and why</th>
              <th scope="col">outcome</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((entry) => (
              <Row key={entry.id} entry={entry} />
            ))}
          </tbody>
        </table>
      )}
      {list !== undefined && list.damaged > 0 && (
        <p class="warn">{list.damaged} lines of the trail can’t be read.</p>
      )}
      <Command text="fig audit" />
    </div>
  );
}

function Row({ entry }: { readonly entry: Entry }): JSX.Element {
  const { at, endedAt, action, capability, who, from, via, reason, outcome, code, detail } = entry;
  return (
    <tr>
      <td class="dim">{moment(at)}</td>
      <td>
        <code>{action}</code>
        {capability !== null && !action.includes(capability) && ` ${capability}`}
        <Evidence entry={entry} />
      </td>
      <td>
        {who}{' '}
        <span class="dim">
          from {from}, by {via}
        </span>
        {reason !== null && <p>{reason}</p>}
      </td>
      <td class={outcome === 'done' ? '' : 'warn'}>
        {outcome ?? 'no end is recorded'}
        {endedAt !== null && <span class="dim"> in {duration(endedAt - at)}</span>}
        {code !== null && <p>{code}</p>}
        {detail !== null && <p class="dim">{detail}</p>}
      </td>
    </tr>
  );
}

/** What was known before each step, and what was answered. */
function Evidence({ entry }: { readonly entry: Entry }): JSX.Element {
  return (
    <details>
      <summary class="dim">evidence</summary>
      {entry.steps.map(({ by, action, order, before, after }, index) => (
        <dl key={index}>
          <dt>
            {by}: {action}
          </dt>
          {order !== null && <dd class="dim">asked {json(order)}</dd>}
          {before !== null && <dd class="dim">before {json(before)}</dd>}
          {after !== null && <dd class="dim">answered {json(after)}</dd>}
        </dl>
      ))}
    </details>
  );
}
