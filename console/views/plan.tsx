import type { JSX } from 'preact';
import type {
  AbortAnswer,
  CompletionAnswer,
  CompletionPlan,
  FlagChange,
  HandoverAnswer,
  HandoverPlan,
  ReconcileReport,
} from '../../strangler/engine/index.ts';
import type { Refusal } from '../api.ts';
import type { Order } from '../operator-action.ts';
import { Link } from '../router.tsx';
import { duration } from '../../chassis/text/index.ts';
import { plural } from '../words.ts';

/** What a dry run may hold; each order fills the part that it has. */
export interface Plan {
  readonly steps?: readonly string[];
  readonly gates?: HandoverPlan['gates'];
  readonly prediction?: HandoverPlan['prediction'];
  readonly tables?: CompletionPlan['tables'];
  readonly flag?: string;
  readonly before?: number;
  readonly share?: number;
  readonly conditions?: string | null;
  readonly source?: string;
}

/** The first closed gate of a plan, as a refusal. */
export function refusalIn({ gates = [] }: Plan): Refusal | null {
  const closed = gates.find((gate) => !gate.ok && !gate.untried);
  if (!closed || closed.ok) return null;
  return { status: 409, code: 'gate_refused', reason: closed.reason, next: closed.next };
}

/** What would happen: the steps in order, the pause to expect, the flag before and after. */
export function PlanView({ plan }: { readonly plan: Plan }): JSX.Element {
  const { steps = [], prediction, flag, before, share, conditions, source } = plan;
  return (
    <>
      {flag !== undefined && (
        <p>
          <code>{flag}</code> would go from <b>{conditions ?? `${before ?? 0} %`}</b> to{' '}
          <b>{share} %</b>
          <span class="dim"> in {source}</span>
        </p>
      )}
      {prediction && (
        <p>
          Writes would wait for about <b>{duration(prediction.holdMs)}</b>{' '}
          <span class="dim">({prediction.from})</span>
        </p>
      )}
      {steps.length > 0 && (
        <ol class="steps">
          {steps.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
      )}
    </>
  );
}

interface OutcomeProps {
  readonly order: Order;
  readonly answer: unknown;
}

/** What an order has brought about. */
export function Outcome({ order, answer }: OutcomeProps): JSX.Element {
  const { verb, capability } = order;
  if (verb === 'switch' || verb === 'reverse') {
    const done = answer as HandoverAnswer;
    if (done.outcome === 'already') {
      return (
        <p>
          {capability} already belongs to {done.to} (epoch {done.epoch}).
        </p>
      );
    }
    return (
      <p>
        <b>
          {capability} now belongs to {done.to}
        </b>{' '}
        (epoch {done.epoch})
        {done.holdMs === null ? '' : `; writes were held for ${duration(done.holdMs)}`}.{' '}
        <Link to="handovers">See its steps</Link>
      </p>
    );
  }
  if (verb === 'reconcile') {
    const { clean, pairs, startedAt, finishedAt } = answer as ReconcileReport;
    const rows = pairs.reduce((sum, pair) => sum + pair.rows, 0);
    const differing = pairs.reduce((sum, one) => sum + one.missing + one.extra + one.different, 0);
    return clean ? (
      <p>
        <b>Both sides are equal</b>: {plural(rows, 'row')} compared in{' '}
        {duration(finishedAt - startedAt)}.
      </p>
    ) : (
      <p>
        <b>The sides differ</b> in {plural(differing, 'row')}.{' '}
        <Link to="differences">See them</Link>
      </p>
    );
  }
  if (verb === 'shadow' || verb === 'ramp') {
    const { flag, share } = answer as FlagChange;
    return (
      <p>
        <b>
          {flag} is {share} %
        </b>
        .
      </p>
    );
  }
  if (verb === 'abort') {
    const { owner, epoch } = answer as AbortAnswer;
    return (
      <p>
        The handover is taken back: {owner} goes on as the owner (epoch {epoch}).
      </p>
    );
  }
  if (verb === 'complete') {
    const { tables, leftovers } = answer as CompletionAnswer;
    return (
      <>
        <p>
          <b>{capability} is complete: there is no way back.</b> Kept until you drop them:
        </p>
        <ul>
          {tables.map(({ table, renamed }) => (
            <li key={renamed}>
              <code>{renamed}</code> <span class="dim">was {table}</span>
            </li>
          ))}
        </ul>
        <p>To be deleted by hand, once it is unused:</p>
        <ul>
          {leftovers.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      </>
    );
  }
  return (
    <p>
      <b>The copy has begun</b>: its progress is among the facts, and it goes on without this page.
    </p>
  );
}
