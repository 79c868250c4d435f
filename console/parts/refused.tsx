import type { JSX } from 'preact';
import type { ComponentChildren } from 'preact';
import type { Refusal } from '../api.ts';

interface RefusedProps {
  readonly refusal: Refusal;
  readonly mend: (command: string) => ComponentChildren;
}

/** Why something is not done, and what mends it. */
export function Refused({ refusal: { reason, next }, mend }: RefusedProps): JSX.Element {
  return (
    <div class="refused" role="alert">
      <p>
        <b>Refused.</b> {reason}
      </p>
      {next !== null && <p class="mend">What mends it: {mend(next)}</p>}
    </div>
  );
}
