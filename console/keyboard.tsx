import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Dialog } from './parts/dialog.tsx';
import { go } from './router.tsx';

/** The views, each with its letter after `g`. */
export const VIEWS = [
  { path: '', name: 'Overview', letter: 'o' },
  { path: 'handovers', name: 'Handovers', letter: 'h' },
  { path: 'differences', name: 'Differences', letter: 'd' },
  { path: 'explain', name: 'Explain', letter: 'e' },
  { path: 'audit', name: 'Audit', letter: 'a' },
] as const;

/** How long `g` waits for its letter, in ms. */
const LETTER_MS = 1_500;

interface KeyboardProps {
  readonly capabilities: readonly string[];
}

type Open = 'find' | 'help' | null;

/** Keys: `/` finds, `g` and a letter goes, `?` helps. */
export function Keyboard({ capabilities }: KeyboardProps): JSX.Element | null {
  const [open, setOpen] = useState<Open>(null);
  const pressed = useRef(0);
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (target.closest('input, select, textarea, dialog')) return;
      const isLetter = Date.now() - pressed.current < LETTER_MS;
      pressed.current = 0;
      if (isLetter) {
        const digit = capabilities[Number(event.key) - 1];
        const view = VIEWS.find(({ letter }) => letter === event.key);
        if (view) go(view.path);
        else if (digit !== undefined) go(`capabilities/${digit}`);
      } else if (event.key === 'g') {
        pressed.current = Date.now();
      } else if (event.key === '/' || event.key === '?') {
        event.preventDefault();
        setOpen(event.key === '/' ? 'find' : 'help');
      }
    };
    addEventListener('keydown', listener);
    return () => removeEventListener('keydown', listener);
  }, [capabilities]);
  const close = (): void => setOpen(null);
  if (open === 'help') return <Help close={close} capabilities={capabilities} />;
  return open === 'find' ? <Finder close={close} capabilities={capabilities} /> : null;
}

interface OverlayProps extends KeyboardProps {
  readonly close: () => void;
}

function Help({ close, capabilities }: OverlayProps): JSX.Element {
  return (
    <Dialog label="keys" close={close}>
      <h2>Keys</h2>
      <dl class="keys">
        <Key keys="/" does="find a view or a capability" />
        {VIEWS.map(({ letter, name }) => (
          <Key key={letter} keys={`g ${letter}`} does={name} />
        ))}
        {capabilities.map((name, index) => (
          <Key key={name} keys={`g ${index + 1}`} does={name} />
        ))}
        <Key keys="?" does="this help" />
        <Key keys="Esc" does="close" />
      </dl>
    </Dialog>
  );
}

function Key({ keys, does }: { readonly keys: string; readonly does: string }): JSX.Element {
  return (
    <div>
      <dt>
        {keys.split(' ').map((one) => (
          <kbd key={one}>{one}</kbd>
        ))}
      </dt>
      <dd>{does}</dd>
    </div>
  );
}

function Finder({ close, capabilities }: OverlayProps): JSX.Element {
  const [text, setText] = useState('');
  const all = [
    ...capabilities.map((name) => ({ name, path: `capabilities/${name}` })),
    ...VIEWS.map(({ name, path }) => ({ name, path })),
  ];
  const found = all.filter(({ name }) => name.toLowerCase().includes(text.toLowerCase()));
  const [first] = found;
  const leave = (path: string): void => {
    close();
    go(path);
  };
  return (
    <Dialog label="find" close={close}>
      <form
        class="finder"
        onSubmit={(event) => {
          event.preventDefault();
          if (first) leave(first.path);
        }}
      >
        <input
          autofocus
          aria-label="find a view or a capability"
          placeholder="find"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <ul>
          {found.map(({ name, path }, index) => (
            <li key={path}>
              <button type="button" class={index === 0 ? 'first' : ''} onClick={() => leave(path)}>
                {name}
              </button>
            </li>
          ))}
        </ul>
        {found.length === 0 && <p class="dim">nothing of that name</p>}
      </form>
    </Dialog>
  );
}
