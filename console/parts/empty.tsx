import type { ComponentChildren, JSX } from 'preact';
import { Command } from './command.tsx';

interface EmptyProps {
  readonly title: string;
  readonly children?: ComponentChildren;
  /** The command that would change it. */
  readonly command?: string;
}

/** Where there is nothing to show: why, and which command comes next. */
export function Empty({ title, children, command }: EmptyProps): JSX.Element {
  return (
    <div class="empty">
      <p>
        <strong>{title}</strong>
      </p>
      {children && <p>{children}</p>}
      {command !== undefined && <Command text={command} />}
    </div>
  );
}
