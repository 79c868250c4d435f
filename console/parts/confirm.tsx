import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';

interface ConfirmProps {
  /** What would happen. */
  readonly question: ComponentChildren;
  /** The action, as its button calls it. */
  readonly label: string;
  /** Of an action that can't be undone: what has to be typed. */
  readonly typed?: string | undefined;
  /** Whether it may be ordered right now; it may without this. */
  readonly mayGive?: boolean;
  /** @param reason why, for the audit trail; empty where nothing was said */
  readonly yes: (reason: string) => Promise<void>;
  readonly no: () => void;
}

/** Asks whether an action is meant before it is ordered. */
export function Confirm(props: ConfirmProps): JSX.Element {
  const { question, label, typed, mayGive = true, yes, no } = props;
  const [given, setGiven] = useState('');
  const [reason, setReason] = useState('');
  const isSure = typed === undefined || given === typed;
  return (
    <form
      class="ask"
      onSubmit={(event) => {
        event.preventDefault();
        if (isSure && mayGive) void yes(reason.trim());
      }}
    >
      <p>{question}</p>
      {typed !== undefined && (
        <label>
          This can’t be undone. Type <b>{typed}</b> to go on:
          <input
            autofocus
            autocomplete="off"
            value={given}
            onInput={(event) => setGiven(event.currentTarget.value)}
          />
        </label>
      )}
      <label>
        Why, for the audit trail:
        <input
          autocomplete="off"
          maxLength={200}
          name="reason"
          value={reason}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </label>
      <button
        type="submit"
        class={typed === undefined ? 'main' : 'main danger'}
        disabled={!isSure || !mayGive}
        {...(typed === undefined ? { autofocus: true } : {})}
      >
        Yes: {label}
      </button>
      <button type="button" class="plain" onClick={no}>
        No
      </button>
    </form>
  );
}
