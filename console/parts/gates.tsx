import type { JSX } from 'preact';
import type { ComponentChildren } from 'preact';

interface GateView {
  readonly gate: string;
  readonly ok: boolean;
  readonly reason?: string;
  readonly note?: string | null;
  readonly next?: string | null;
  readonly untried?: true;
}

interface GatesProps {
  readonly gates: readonly GateView[];
  /** Shows the command that mends a closed gate. */
  readonly mend: (command: string) => ComponentChildren;
}

/** Gates: the closed ones with reason and remedy, the others in one line. */
export function Gates({ gates, mend }: GatesProps): JSX.Element {
  const closed = gates.filter(({ ok, untried }) => !ok && !untried);
  const untried = gates.filter((gate) => gate.untried);
  const open = gates.filter(({ ok }) => ok);
  return (
    <ul class="gates">
      {closed.map(({ gate, reason, next }) => (
        <li key={gate} class="closed">
          <b>{gate}</b>
          <span>{reason}</span>
          {next ? mend(next) : <span class="dim">nothing to do but to wait</span>}
        </li>
      ))}
      {open
        .filter(({ note }) => note)
        .map(({ gate, note }) => (
          <li key={gate} class="open">
            <b>{gate}</b>
            <span>{note}</span>
          </li>
        ))}
      {open.length > 0 && (
        <li class="rest">
          <span class="dim">
            passed:{' '}
            {open
              .filter(({ note }) => !note)
              .map(({ gate }) => gate.replaceAll('_', ' '))
              .join(', ')}
          </span>
        </li>
      )}
      {untried.length > 0 && (
        <li class="rest">
          <span class="dim">
            tried after these: {untried.map(({ gate }) => gate.replaceAll('_', ' ')).join(', ')}
          </span>
        </li>
      )}
    </ul>
  );
}
