import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { BASE, viewIn } from './view-path.ts';

const listeners = new Set<() => void>();

/** The view that the address names, such as `capabilities/a`; empty for the overview. */
export function currentPath(): string {
  return viewIn(location.pathname);
}

/** Shows another view, under its own address. */
export function go(path: string): void {
  history.pushState(null, '', BASE + path);
  for (const listener of listeners) listener();
  scrollTo(0, 0);
}

export function usePath(): string {
  const [path, setPath] = useState(currentPath());
  useEffect(() => {
    const listener = (): void => setPath(currentPath());
    listeners.add(listener);
    addEventListener('popstate', listener);
    return () => {
      listeners.delete(listener);
      removeEventListener('popstate', listener);
    };
  }, []);
  return path;
}

interface LinkProps {
  readonly to: string;
  readonly class?: string;
  readonly current?: boolean;
  readonly children: ComponentChildren;
}

/** A link to another view; a click with a key held opens it as browsers do. */
export function Link({ to, current, children, ...rest }: LinkProps): JSX.Element {
  return (
    <a
      {...rest}
      href={BASE + to}
      {...(current ? { 'aria-current': 'page' as const } : {})}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}
