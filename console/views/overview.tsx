import type { JSX } from 'preact';
import type { Live } from '../live.ts';
import { Command } from '../parts/command.tsx';
import { Empty } from '../parts/empty.tsx';
import { Link } from '../router.tsx';
import { alarmOf, capabilitiesOf, ownerOf, stopsOf, waitOf } from '../status.ts';
import type { Capability, Stop } from '../status.ts';
import { duration } from '../../chassis/text/index.ts';
import { plural, rate } from '../words.ts';
import { Picture } from './picture.tsx';

interface ViewProps {
  readonly live: Live;
  readonly now: number;
}

/** The system as one picture: clients, the facade, both sides of each capability, the feeds between. */
export function Overview({ live, now }: ViewProps): JSX.Element {
  const { state } = live;
  const capabilities = capabilitiesOf(live);
  if (!state) return <Empty title="Waiting for the facade’s first event" />;
  if (capabilities.length === 0) {
    return (
      <Empty title="The configuration names no capability" command="fig config print">
        A capability is a group of routes, with the rows behind them, that is to leave the monolith.
      </Empty>
    );
  }
  return (
    <div class="overview">
      <Front live={live} />
      <div class="rows">
        {capabilities.map((capability) => (
          <Row key={capability.name} capability={capability} now={now} />
        ))}
      </div>
    </div>
  );
}

/** Clients and the facade, in front of all capabilities. */
function Front({ live }: { readonly live: Live }): JSX.Element {
  const { facade } = live.state as NonNullable<Live['state']>;
  const total = facade.traffic.reduce((sum, one) => sum + one.perSecond, 0);
  const errors = facade.traffic.reduce((sum, one) => sum + one.errorsPerSecond, 0);
  const others = facade.traffic
    .filter(({ capability }) => capability === '')
    .reduce((sum, one) => sum + one.perSecond, 0);
  const held = facade.capabilities.reduce((sum, one) => sum + one.heldNow, 0);
  return (
    <div class="front">
      <div class="node clients">
        <b>clients</b>
        <span class="figure">{rate(total)}</span>
      </div>
      <svg
        class={`into${total > 0 ? '' : ' still'}${errors > 0 ? ' wrong' : ''}`}
        aria-hidden="true"
      >
        <line class="stem" x1="0" y1="50%" x2="100%" y2="50%" />
        {total > 0 && <line class="dots" x1="0" y1="50%" x2="100%" y2="50%" />}
      </svg>
      <div class="node facade">
        <b>facade</b>
        <span>{facade.inFlight} in flight</span>
        {held > 0 && <span class="warn">{plural(held, 'write')} held</span>}
        {errors > 0 && <span class="warn">{rate(errors)} errors</span>}
        <span class="dim">{rate(others)} pass by</span>
        <span class="dim">routing {facade.routingNews === 'pushed' ? 'live' : 'polled'}</span>
      </div>
    </div>
  );
}

function Row({ capability, now }: { readonly capability: Capability; readonly now: number }) {
  const { name, status } = capability;
  const owner = ownerOf(capability);
  const alarm = alarmOf(capability);
  return (
    <section class="row" aria-label={name}>
      <header>
        <h2>
          <Link to={`capabilities/${name}`}>{name}</Link>
        </h2>
        <span class="stage">{status?.stage ?? 'by flag'}</span>
        <span class="dim">
          {owner === null ? 'neither side owns the writes' : `${owner} owns the writes`}
          {status?.lastHandover?.outcome === 'done' &&
            status.lastHandover.finishedAt !== null &&
            ` for ${duration(now - status.lastHandover.finishedAt)}`}
        </span>
        {status?.moving && (
          <span class="warn">
            writes paused {duration(Math.max(0, now - status.moving.startedAt))}
          </span>
        )}
      </header>
      <Picture capability={capability} />
      {status && <Path stops={stopsOf(status, now)} />}
      {alarm !== null && <p class="alarm">{alarm}</p>}
      {status && <NextLine capability={capability} />}
    </section>
  );
}

/** The stations of a capability's way. */
export function Path({ stops }: { readonly stops: readonly Stop[] }): JSX.Element {
  return (
    <ol class="path">
      {stops.map(({ name, what, is, figure, wrong }) => (
        <li
          key={name}
          class={`${is}${wrong ? ' wrong' : ''}`}
          title={what}
          {...(is === 'now' || is === 'next' ? { 'aria-current': 'step' as const } : {})}
        >
          <span class="name">{name}</span>
          <span class="figure">
            {figure}
            <span class="hidden">{` (${is})`}</span>
          </span>
        </li>
      ))}
    </ol>
  );
}

/** What comes next, and what it waits for. */
function NextLine({ capability: { name, status } }: { readonly capability: Capability }) {
  if (!status) return null;
  const [next] = status.nextSteps;
  const wait = waitOf(status);
  if (!next && !wait) {
    return status.stage === 'complete' ? (
      <p class="next dim">Complete: extracted owns it for good.</p>
    ) : null;
  }
  return (
    <p class="next">
      {next && (
        <>
          <Link to={`capabilities/${name}`} class="action">
            next
          </Link>{' '}
          <Command text={next.command} /> <span class="dim">{next.reason}</span>
        </>
      )}
      {wait && (
        <span class="wait">
          {wait.text}
          {wait.mend !== null && (
            <>
              {' '}
              <Command text={wait.mend} />
            </>
          )}
        </span>
      )}
    </p>
  );
}
