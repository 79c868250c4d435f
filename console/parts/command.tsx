import type { JSX } from 'preact';
import { useState } from 'preact/hooks';

/** A command to copy, where the browser lets a page do that: by https, or on this machine. */
export function Command({ text }: { readonly text: string }): JSX.Element {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1_500);
  };
  return (
    <span class="command">
      <code>{text}</code>
      {isSecureContext && (
        <button type="button" class="quiet" aria-label={`copy ${text}`} onClick={() => void copy()}>
          {copied ? 'copied' : 'copy'}
        </button>
      )}
    </span>
  );
}
