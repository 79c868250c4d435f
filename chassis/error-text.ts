/** What an error says, whatever was thrown; never empty. A driver's error may be of another realm. */
export function errorText(error: unknown): string {
  const { message, name } = (error ?? {}) as { message?: unknown; name?: unknown };
  if (typeof message !== 'string' || typeof name !== 'string') return String(error);
  return message || name;
}
