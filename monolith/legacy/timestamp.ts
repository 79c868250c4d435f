/** The legacy schema keeps moments as UTC text, `2026-01-31 12:00:00.000`. */
export function toTimestamp(ms: number): string {
  return new Date(ms).toISOString().slice(0, 23).replace('T', ' ');
}

/** A legacy timestamp in the contract's form, `2026-01-31T12:00:00.000Z`. */
export function timestampToIso(text: string): string {
  return `${text.replace(' ', 'T')}Z`;
}
