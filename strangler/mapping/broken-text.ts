import { isUtf8 } from 'node:buffer';

/**
 * Text that is no UTF-8, as SQLite holds whatever bytes it is given: old Latin-1 files, half a
 * character, lone surrogates. It is known by its bytes, so that it can be named and compared; no
 * driver can write it as it is, so nobody carries it.
 */
export class BrokenText extends Uint8Array {}

/** What decoding leaves in place of bytes that are no UTF-8; also a character like any other. */
const REPLACEMENT = '\uFFFD';

/** Whether a text may have lost bytes when it was decoded: only its bytes can tell. */
export function mayBeBroken(value: unknown): boolean {
  return typeof value === 'string' && value.includes(REPLACEMENT);
}

/** A text by its bytes. */
export function textOfBytes(bytes: Uint8Array): string | BrokenText {
  return isUtf8(bytes) ? Buffer.from(bytes).toString('utf8') : new BrokenText(bytes);
}

/** Whether a text can be written as it is: half a surrogate pair has no bytes in UTF-8. */
export function isWhole(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  return !(value instanceof BrokenText);
}
