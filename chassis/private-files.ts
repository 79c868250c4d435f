/**
 * From now on what this process makes is its user's alone, and so is what its children make:
 * databases, their logs, flags and all logs hold what customers wrote.
 */
export function keepFilesPrivate(): void {
  process.umask(0o077);
}
