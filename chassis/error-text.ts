/** What an error says, whatever was thrown; never empty. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
