const SHOWN_CHARACTERS = 100;

/** A text from outside, as far as a message repeats it. */
export function shortened(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
