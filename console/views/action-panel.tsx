import type { JSX } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { post } from '../api.ts';
import type { Answer, Refusal } from '../api.ts';
import { commandsFor, orderOf, sameVerb } from '../operator-action.ts';
import type { Order } from '../operator-action.ts';
import { Command } from '../parts/command.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { Gates } from '../parts/gates.tsx';
import { Refused } from '../parts/refused.tsx';
import type { LiveStatus } from '../../strangler/engine/index.ts';
import { age } from '../words.ts';
import { Outcome, PlanView, refusalIn } from './plan.tsx';
import type { Plan } from './plan.tsx';

interface PanelProps {
  readonly status: LiveStatus;
  readonly statuses: readonly LiveStatus[];
  readonly now: number;
  /** Whether figures are old: then nothing may be ordered. */
  readonly isStale: boolean;
}

/** The next action with its dry run, and all others below it. */
export function ActionPanel({ status, statuses, now, isStale }: PanelProps): JSX.Element {
  const commands = commandsFor(status);
  const likeliest = commands[0];
  const [chosen, setChosen] = useState<string | undefined>();
  const command = chosen ?? likeliest;
  // What was chosen belongs to the capability that it was chosen for.
  useEffect(() => setChosen(undefined), [status.capability]);
  if (command === undefined) {
    return (
      <aside class="actions" aria-label="actions">
        <h3>Nothing is left to do</h3>
        <p class="dim">{status.capability} is complete: extracted owns it for good.</p>
      </aside>
    );
  }
  const order = orderOf(command, statuses);
  return (
    <aside class="actions" aria-label="actions">
      {order && (
        <Offer
          key={order.command}
          order={order}
          status={status}
          now={now}
          isStale={isStale}
          isNext={likeliest !== undefined && sameVerb(likeliest, command)}
          choose={setChosen}
          statuses={statuses}
        />
      )}
      <h4>Other actions</h4>
      <ul class="others">
        {commands
          .filter((one) => !sameVerb(one, command))
          .map((one) => {
            const other = orderOf(one, statuses);
            if (!other) return null;
            return (
              <li key={one}>
                <button
                  type="button"
                  class={other.irreversible ? 'plain danger' : 'plain'}
                  onClick={() => setChosen(one)}
                >
                  {other.label}
                </button>
                <code class="dim">{one}</code>
              </li>
            );
          })}
      </ul>
    </aside>
  );
}

interface OfferProps {
  readonly order: Order;
  readonly status: LiveStatus;
  readonly statuses: readonly LiveStatus[];
  readonly now: number;
  readonly isStale: boolean;
  readonly isNext: boolean;
  readonly choose: (command: string) => void;
}

type Phase = 'looking' | 'asking' | 'running';

function Offer(props: OfferProps): JSX.Element {
  const { order, status, statuses, now, isStale, isNext, choose } = props;
  const [plan, setPlan] = useState<{ readonly answer: Answer<Plan>; readonly at: number }>();
  const [phase, setPhase] = useState<Phase>('looking');
  const [outcome, setOutcome] = useState<Answer<Plan>>();
  const looks = useRef(0);
  const { path, body, capability, irreversible } = order;

  const look = useCallback(async (): Promise<void> => {
    const turn = ++looks.current;
    const answer = await post<Plan>(path, { ...body, dryRun: true });
    // A newer dry run may have answered before this one.
    if (turn !== looks.current) return;
    setPlan({ answer, at: Date.now() });
  }, [path, JSON.stringify(body)]);
  // What it would do changes with the state of things.
  const state = `${status.stage} ${status.epoch} ${status.backfill.state} ${status.reconcile?.at ?? 0}`;
  useEffect(() => void look(), [look, state]);

  const give = async (reason: string): Promise<void> => {
    // It stays until another action is chosen, though another one comes next: with what came of it.
    choose(order.command);
    setPhase('running');
    setOutcome(undefined);
    const answer = await post<Plan>(path, body, reason);
    setOutcome(answer);
    setPhase('looking');
    await look();
  };

  const mend = (command: string): JSX.Element => {
    const remedy = orderOf(command, statuses);
    if (!remedy) return <Command text={command} />;
    return (
      <>
        <button type="button" class="plain" onClick={() => choose(remedy.command)}>
          {remedy.label}
        </button>{' '}
        <Command text={remedy.command} />
      </>
    );
  };
  const refusal: Refusal | null = plan
    ? plan.answer.ok
      ? refusalIn(plan.answer.body)
      : plan.answer.refusal
    : null;
  const isEmpty = plan?.answer.ok === true && plan.answer.body.steps?.length === 0;
  const mayGive = plan !== undefined && refusal === null && !isStale && !isEmpty;
  return (
    <section class="offer" aria-label={order.label}>
      <header>
        <h3>
          {isNext && <span class="dim">{order.verb === 'reverse' ? 'Way back' : 'Next'}: </span>}
          {order.label}
        </h3>
        <Command text={order.command} />
      </header>
      <ShareChoice order={order} choose={choose} />
      <div class="dry-run">
        <p class="dim">
          Dry run{plan && `, ${age(Math.max(0, now - plan.at))}`}{' '}
          <button type="button" class="quiet" onClick={() => void look()}>
            look again
          </button>
        </p>
        {!plan && <p class="dim">looking …</p>}
        {plan?.answer.ok && <PlanView plan={plan.answer.body} />}
        {plan?.answer.ok && plan.answer.body.gates && (
          <Gates gates={plan.answer.body.gates} mend={mend} />
        )}
        {refusal && !(plan?.answer.ok && plan.answer.body.gates) && (
          <Refused refusal={refusal} mend={mend} />
        )}
        {isEmpty && <p>There is nothing left to do.</p>}
      </div>
      {outcome && (
        <div class="outcome" role="status">
          {outcome.ok ? (
            <Outcome order={order} answer={outcome.body} />
          ) : (
            <Refused refusal={outcome.refusal} mend={mend} />
          )}
        </div>
      )}
      {phase === 'running' ? (
        <p class="running" role="status">
          under way …
        </p>
      ) : phase === 'asking' ? (
        <Confirm
          question={order.question}
          label={order.label}
          typed={irreversible ? capability : undefined}
          mayGive={mayGive}
          yes={give}
          no={() => setPhase('looking')}
        />
      ) : (
        <button
          type="button"
          class={irreversible ? 'main danger' : 'main'}
          disabled={!mayGive}
          onClick={() => setPhase('asking')}
        >
          {order.label} …
        </button>
      )}
      {isStale && <p class="dim">Not while the figures are old.</p>}
    </section>
  );
}

const SHARES = [0, 1, 5, 10, 25, 50, 100];

/** Which share of the reads. */
function ShareChoice({ order, choose }: Pick<OfferProps, 'order' | 'choose'>): JSX.Element | null {
  const { verb, capability, body } = order;
  if (verb !== 'shadow' && verb !== 'ramp') return null;
  return (
    <div class="shares" role="group" aria-label="share">
      {SHARES.map((share) => (
        <button
          key={share}
          type="button"
          class="plain"
          aria-pressed={body['share'] === share}
          onClick={() => choose(`fig ${verb} ${capability} ${share}`)}
        >
          {share} %
        </button>
      ))}
    </div>
  );
}
