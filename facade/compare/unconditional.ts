import type { RequestForm } from '../request/index.ts';

/** Names of request headers that let a server answer with less than it has. */
const CONDITIONS = /^if-(?:none-match|modified-since|match|unmodified-since|range)$/i;
/** Sets the bit by which a small letter differs from a capital. */
const LOWER = 0x20;
const LETTER_I = 0x69;

/** Whether an answer may depend on what the client has already. */
export function isConditional({ headers }: RequestForm): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    // Each read that is compared asks this: most names are told by their first letter.
    if ((name.charCodeAt(0) | LOWER) === LETTER_I && CONDITIONS.test(name)) return true;
  }
  return false;
}

/** The same request without that. */
export function unconditional(form: RequestForm): RequestForm {
  if (!isConditional(form)) return form;
  const headers = form.headers.filter(
    (_text, at) => !CONDITIONS.test(form.headers[at - (at % 2)] as string),
  );
  return { ...form, headers };
}
