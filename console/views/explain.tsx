import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { Explanation } from '../../facade/admin/index.ts';
import { get } from '../api.ts';
import type { Answer } from '../api.ts';
import { Command } from '../parts/command.tsx';
import { Refused } from '../parts/refused.tsx';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Where a request would go right now, and why. Nothing is sent. */
export function Explain(): JSX.Element {
  const asked = new URLSearchParams(location.search);
  const [method, setMethod] = useState(asked.get('method') ?? 'GET');
  const [path, setPath] = useState(asked.get('path') ?? '');
  const [customer, setCustomer] = useState(asked.get('customer') ?? '');
  const [answer, setAnswer] = useState<Answer<Explanation>>();
  const query = new URLSearchParams({ method, path, ...(customer ? { customer } : {}) });
  const ask = async (): Promise<void> => {
    history.replaceState(null, '', `?${query.toString()}`);
    setAnswer(await get<Explanation>(`/explain?${query.toString()}`));
  };
  // An address that holds a question is answered at once.
  useEffect(() => {
    if (asked.has('path')) void ask();
  }, []);
  const command = `fig explain ${method} ${path || '/'}${customer ? ` --customer ${customer}` : ''}`;
  return (
    <div class="explain">
      <h1>Explain</h1>
      <p class="dim">Where a request would go right now, and why. Nothing is sent.</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void ask();
        }}
      >
        <label>
          method
          <select value={method} onChange={(event) => setMethod(event.currentTarget.value)}>
            {METHODS.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <label class="grow">
          path
          <input
            required
            placeholder="/api/…"
            value={path}
            onInput={(event) => setPath(event.currentTarget.value)}
          />
        </label>
        <label>
          customer
          <input
            placeholder="anyone"
            value={customer}
            onInput={(event) => setCustomer(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="main">
          Explain
        </button>
      </form>
      <Command text={command} />
      {answer &&
        (answer.ok ? (
          <Shown explanation={answer.body} />
        ) : (
          <Refused refusal={answer.refusal} mend={(next) => <Command text={next} />} />
        ))}
    </div>
  );
}

function Shown({ explanation }: { readonly explanation: Explanation }): JSX.Element {
  const { refused, route, capability, kind, side, upstream, why, held, shadow, notes, changes } =
    explanation;
  if (refused) {
    return (
      <div class="refused" role="status">
        <p>
          <b>
            The client would be told {refused.status} {refused.code}
          </b>
          : {refused.detail}
        </p>
      </div>
    );
  }
  return (
    <section class="explained" role="status">
      <p class="answer">
        goes to <b>{upstream?.name ?? 'one of two servers: each request is drawn'}</b>
        {side && ` (${side})`}
        <span class="dim"> {upstream?.url}</span>
      </p>
      <p>{why}</p>
      <dl>
        <div>
          <dt>capability</dt>
          <dd>{capability ?? 'none: it passes by'}</dd>
        </div>
        <div>
          <dt>route</dt>
          <dd>{route ?? '–'}</dd>
        </div>
        <div>
          <dt>taken as</dt>
          <dd>
            {kind}
            {changes.length > 0 && ` that changes ${changes.join(', ')}`}
          </dd>
        </div>
        {held && (
          <div>
            <dt>would wait</dt>
            <dd class="warn">{held.why}</dd>
          </div>
        )}
        {shadow && (
          <div>
            <dt>compared with</dt>
            <dd>
              {shadow.name}, {shadow.share} % of the time
            </dd>
          </div>
        )}
      </dl>
      {notes.map((note) => (
        <p key={note} class="dim">
          {note}
        </p>
      ))}
    </section>
  );
}
