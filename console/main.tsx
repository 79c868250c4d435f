import type { JSX } from 'preact';
import { render } from 'preact';
import { useEffect } from 'preact/hooks';
import 'uplot/dist/uPlot.min.css';
import './style.css';
import { Keyboard, VIEWS } from './keyboard.tsx';
import { connect, staleness, useLive, useNow } from './live.ts';
import type { Live } from './live.ts';
import { Command } from './parts/command.tsx';
import { Empty } from './parts/empty.tsx';
import { Link, usePath } from './router.tsx';
import { capabilitiesOf } from './status.ts';
import { Audit } from './views/audit.tsx';
import { CapabilityView } from './views/capability.tsx';
import { Differences } from './views/differences.tsx';
import { Explain } from './views/explain.tsx';
import { Handovers } from './views/handovers.tsx';
import { Overview } from './views/overview.tsx';
import { duration } from '../chassis/text/index.ts';
import { age, clock } from './words.ts';

function App(): JSX.Element {
  const live = useLive();
  const now = useNow();
  const path = usePath();
  const stale = staleness(live, Date.now());
  const names = capabilitiesOf(live).map(({ name }) => name);
  const isEngineAway = live.state !== null && live.state.engine === null;
  useEffect(() => {
    document.title = `${titleOf(path)} · Fig`;
  }, [path]);
  const states = [stale === null ? '' : 'stale', isEngineAway ? 'engine-away' : ''];
  return (
    <div class={['page', ...states].filter(Boolean).join(' ')}>
      <a class="skip" href="#main">
        skip to the figures
      </a>
      <header class="top">
        <Link to="" class="logo">
          fig
        </Link>
        <nav aria-label="views">
          {VIEWS.map((view) => (
            <Link key={view.path} to={view.path} current={view.path === path}>
              {view.name}
            </Link>
          ))}
        </nav>
        <Connection live={live} stale={stale} />
      </header>
      <Trouble live={live} stale={stale} now={now} />
      <main id="main" tabIndex={-1}>
        <View path={path} live={live} now={now} />
      </main>
      <footer class="bottom dim">
        <span>for operators; the same figures: fig status --json</span>
        <span>
          <kbd>/</kbd> find <kbd>g</kbd> go <kbd>?</kbd> help
        </span>
      </footer>
      <Keyboard capabilities={names} />
    </div>
  );
}

function titleOf(path: string): string {
  const view = VIEWS.find((one) => one.path === path);
  return view?.name ?? path.split('/').at(-1) ?? '';
}

interface ViewProps {
  readonly path: string;
  readonly live: Live;
  readonly now: number;
}

function View({ path, live, now }: ViewProps): JSX.Element {
  const [first = '', name = ''] = path.split('/');
  switch (first) {
    case '':
      return <Overview live={live} now={now} />;
    case 'capabilities':
      return <CapabilityView live={live} now={now} name={name} />;
    case 'handovers':
      return <Handovers live={live} now={now} />;
    case 'differences':
      return <Differences live={live} now={now} />;
    case 'explain':
      return <Explain />;
    case 'audit':
      return <Audit />;
    default:
      return (
        <Empty title={`There is no view ${path}`}>
          <Link to="">Overview</Link>
        </Empty>
      );
  }
}

interface ConnectionProps {
  readonly live: Live;
  /** How old the figures are, in ms; null where they are those of now. */
  readonly stale: number | null;
}

function Connection({ live, stale }: ConnectionProps): JSX.Element {
  const text =
    live.heardAt === 0
      ? live.connection === 'connecting'
        ? 'connecting'
        : live.connection
      : stale === null
        ? 'live'
        : `${duration(stale)} old`;
  return (
    <span
      class={`connection ${stale === null && live.heardAt > 0 ? 'live' : 'lost'}`}
      role="status"
    >
      <i aria-hidden="true" />
      {text}
    </span>
  );
}

/** Why figures are greyed, and what helps. */
function Trouble({ live, stale, now }: ConnectionProps & { readonly now: number }) {
  if (live.connection === 'signed out') {
    return (
      <p class="banner" role="alert">
        This browser is not let in any more, as after a restart of the facade. Open the console
        again, and this page goes on: <Command text="fig open" />
        {live.heardAt > 0 && ` Figures are those of ${clock(live.heardAt)}.`}
      </p>
    );
  }
  if (stale !== null || live.connection === 'lost') {
    return (
      <p class="banner" role="alert">
        The facade does not answer.{' '}
        {live.heardAt > 0 &&
          `Figures are those of ${clock(live.heardAt)}, ${duration(stale ?? 0)} old. `}
        The page goes on when it answers again. <Command text="npm start" />
      </p>
    );
  }
  if (live.state && live.state.engine === null) {
    return (
      <p class="banner" role="alert">
        The engine does not answer: {live.state.engineTrouble}.{' '}
        {live.engine
          ? `Owner, lag and gates are those of ${age(now - live.ahead - live.engine.at)}. `
          : 'Owner, lag and gates are not known. '}
        Traffic is live. <Command text="fig doctor" />
      </p>
    );
  }
  return null;
}

connect();
const root = document.getElementById('app');
if (root) render(<App />, root);
