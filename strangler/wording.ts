/** A count with thousands separated. */
export function count(value: number): string {
  return value.toLocaleString('en-US');
}

export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** There may be thousands. */
const NAMES_SHOWN = 5;

/** The first names of a list, and how many more there are. */
export function someOf(names: readonly string[]): string {
  const more = names.length - NAMES_SHOWN;
  return `${names.slice(0, NAMES_SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** A name as SQL has it, for statements that people copy. */
export function identifier(text: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`;
}

/** An engine that answers late and holds its lease. @param late why its status is missing */
export function busyEngine(late: string, holder: string): string {
  return `${late}, but ${holder} keeps its lease: it is busy`;
}
