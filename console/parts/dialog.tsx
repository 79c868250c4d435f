import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface DialogProps {
  readonly label: string;
  readonly close: () => void;
  readonly children: ComponentChildren;
}

/** A dialog above the page: the browser keeps the focus in it, and Escape closes it. */
export function Dialog({ label, close, children }: DialogProps): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    ref.current?.showModal();
  }, []);
  return (
    <dialog
      ref={ref}
      aria-label={label}
      onClose={close}
      onClick={(event) => {
        // A click beside it.
        if (event.target === ref.current) close();
      }}
    >
      <div class="dialog">{children}</div>
    </dialog>
  );
}
