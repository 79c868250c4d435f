import type { ComponentChildren, JSX } from 'preact';
import { staleness } from '../live.ts';
import type { Live } from '../live.ts';
import { Command } from '../parts/command.tsx';
import { Empty } from '../parts/empty.tsx';
import { Gates } from '../parts/gates.tsx';
import { Link } from '../router.tsx';
import { alarmOf, capabilitiesOf, ownerOf, SIDES, stopsOf } from '../status.ts';
import type { Capability } from '../status.ts';
import { duration } from '../../chassis/text/index.ts';
import { age, count, moment, plural, rate } from '../words.ts';
import { ActionPanel } from './action-panel.tsx';
import { Charts } from './charts.tsx';
import { Path } from './overview.tsx';

interface CapabilityProps {
  readonly live: Live;
  readonly now: number;
  readonly name: string;
}

/** One capability: what is so, how it went, and what may come next. */
export function CapabilityView({ live, now, name }: CapabilityProps): JSX.Element {
  const capability = capabilitiesOf(live).find((one) => one.name === name);
  if (!live.state) return <Empty title="Waiting for the facade’s first event" />;
  if (!capability) {
    return (
      <Empty title={`There is no capability ${name}`} command="fig config print">
        <Link to="">All capabilities</Link>
      </Empty>
    );
  }
  const { status } = capability;
  const alarm = alarmOf(capability);
  const isStale = staleness(live, Date.now()) !== null || live.state.engine === null;
  return (
    <div class="capability">
      <header class="head">
        <h1>{name}</h1>
        <span class="stage">{status?.stage ?? 'by flag'}</span>
        {alarm !== null && <p class="alarm">{alarm}</p>}
        {status && <Path stops={stopsOf(status, now)} />}
      </header>
      <Facts capability={capability} now={now} />
      <div class="middle">
        <Charts capability={capability} samples={live.samples} />
        {status?.gates && (
          <section class="gate-list" aria-label="gates">
            <h3>
              gates{' '}
              <span class="dim">
                before ownership moves to {status.owner === 'legacy' ? 'extracted' : 'legacy'}
              </span>
            </h3>
            <Gates gates={status.gates} mend={(command) => <Command text={command} />} />
          </section>
        )}
      </div>
      {status ? (
        <ActionPanel
          status={status}
          statuses={live.engine?.status.capabilities ?? []}
          now={now}
          isStale={isStale}
        />
      ) : (
        <aside class="actions" aria-label="actions">
          <h3>Moved by its flags</h3>
          <p class="dim">No rows of {name} move, so the engine has nothing to do with it.</p>
          <Command text={`fig flags set ${name}.reads 10`} />
        </aside>
      )}
    </div>
  );
}

function Facts({ capability, now }: { readonly capability: Capability; readonly now: number }) {
  const { status, facade, traffic } = capability;
  const owner = ownerOf(capability);
  const done = status?.lastHandover;
  const since = done?.outcome === 'done' ? done.finishedAt : null;
  return (
    <section class="facts engine-figures" aria-label="facts">
      <dl>
        <Fact name="owner">
          <b>{owner ?? 'none'}</b>
          {status && <span class="dim"> epoch {status.epoch}</span>}
          {since !== null && since !== undefined && (
            <span class="dim"> for {duration(now - since)}</span>
          )}
        </Fact>
        {status && <EngineFacts status={status} now={now} />}
        <Fact name="flags">{flagsText(facade, status)}</Fact>
        {status?.cohorts && (
          <Fact name="cohorts">
            {SIDES.map((side) => `${side} ${count(status.cohorts?.[side].length ?? 0)}`).join(', ')}
          </Fact>
        )}
        {SIDES.map((side) => (
          <Fact key={side} name={`${side} so far`}>
            {plural(traffic[side]?.requests ?? 0, 'request')}
            {(traffic[side]?.errors ?? 0) > 0 && (
              <span class="warn"> {plural(traffic[side]?.errors ?? 0, 'error')}</span>
            )}
            <span class="dim"> {rate(traffic[side]?.perSecond ?? 0)}</span>
          </Fact>
        ))}
        {facade && (
          <>
            <Fact name="compared">
              {count(facade.experiments.compared)}
              {facade.experiments.mismatched > 0 ? (
                <>
                  {' '}
                  <Link to="differences" class="warn">
                    {plural(facade.experiments.mismatched, 'difference')}
                  </Link>
                </>
              ) : (
                <span class="dim"> no differences</span>
              )}
            </Fact>
            <Fact name="held writes">
              {count(facade.held)}
              <span class="dim"> {facade.heldNow} now</span>
            </Fact>
            <Fact name="sent again">
              {count(facade.retried)}
              <span class="dim"> {count(facade.fenced)} after FENCED</span>
            </Fact>
          </>
        )}
      </dl>
    </section>
  );
}

type Status = NonNullable<Capability['status']>;

function EngineFacts({ status, now }: { readonly status: Status; readonly now: number }) {
  const { lag, backfill, backfillRun, reconcile, wayBack, lastHandover, parked, intent } = status;
  return (
    <>
      <Fact name="lag">
        {lag === null ? (
          <span class="dim">not known</span>
        ) : (
          <>
            {plural(lag.changes, 'row')} <span class="dim">{duration(lag.ms)}</span>
          </>
        )}
      </Fact>
      <Fact name="copy">
        {backfill.state === 'none' ? (
          <span class="dim">none</span>
        ) : backfill.state === 'done' ? (
          `whole${backfill.rows > 0 ? `, ${plural(backfill.rows, 'row')}` : ''}`
        ) : (
          <>
            <progress max={Math.max(1, backfill.total)} value={backfill.rows} />{' '}
            {count(backfill.rows)} of {count(backfill.total)}
            <span class="dim">
              {backfillRun?.rowsPerSecond
                ? ` ${count(Math.round(backfillRun.rowsPerSecond))}/s`
                : ''}
              {backfillRun?.etaMs ? ` ${duration(backfillRun.etaMs)} left` : ''}
            </span>
          </>
        )}
        {backfillRun?.problem && <span class="warn"> {backfillRun.problem}</span>}
      </Fact>
      <Fact name="compared rows">
        {reconcile ? (
          <>
            <span class={reconcile.clean ? '' : 'warn'}>
              {reconcile.clean ? 'equal' : 'differ'}
            </span>
            <span class="dim"> {age(now - reconcile.at)}</span>
          </>
        ) : (
          <span class="dim">never</span>
        )}
      </Fact>
      <Fact name="way back">
        {wayBack === null ? (
          <span class="dim">{status.stage === 'complete' ? 'closed' : 'legacy has it'}</span>
        ) : wayBack.safe ? (
          <>
            open <span class="dim">proven by what legacy has applied</span>
          </>
        ) : (
          <span class="warn">
            not open: {wayBack.reason} <Command text={wayBack.next} />
          </span>
        )}
      </Fact>
      <Fact name="last move">
        {lastHandover ? (
          <Link to="handovers">
            to {lastHandover.to}, {lastHandover.outcome === 'done' ? 'done' : 'taken back'}{' '}
            {age(now - (lastHandover.finishedAt ?? lastHandover.startedAt))}
          </Link>
        ) : (
          <span class="dim">none yet</span>
        )}
        {lastHandover?.holdMs !== null && lastHandover?.holdMs !== undefined && (
          <span class="dim" title={moment(lastHandover.startedAt)}>
            {' '}
            held {duration(lastHandover.holdMs)}
          </span>
        )}
      </Fact>
      {parked && (
        <Fact name="stuck">
          <Link to="differences" class="warn">
            {plural(parked.changes, 'change')}
          </Link>{' '}
          <span class="dim">first {age(now - parked.since)}</span>
        </Fact>
      )}
      {intent.to !== null && intent.to !== status.owner && (
        <Fact name="asked for">
          {intent.to} {intent.spent && <span class="warn">not tried again: {intent.spent}</span>}
        </Fact>
      )}
    </>
  );
}

function flagsText(facade: Capability['facade'], status: Capability['status']): string {
  const shares = status ? status.shares : (facade?.flags ?? null);
  if (shares === null || shares === undefined) return 'never read';
  const { shadow, reads, writes, conditions } = shares;
  const asked = writes === null ? 'ask for nothing' : writes ? 'on' : 'off';
  return [
    `shadow ${conditions.shadow ?? `${shadow} %`}`,
    `reads ${conditions.reads ?? `${reads} %`}`,
    `writes ${conditions.writes ?? asked}`,
  ].join(', ');
}

interface FactProps {
  readonly name: string;
  readonly children: ComponentChildren;
}

function Fact({ name, children }: FactProps): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
