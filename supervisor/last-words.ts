interface LogLine {
  readonly level?: number;
  readonly pid?: number;
  readonly msg?: string;
  readonly err?: { readonly message?: string };
}

const FATAL = 60;

/**
 * Why a process ended, from the last lines of its log: the message of its fatal line, or where it
 * logged none, the lines themselves. Lines of earlier processes with the same name do not count.
 */
export function lastWords(lines: readonly string[], pid: number | undefined): string {
  const fatal = lines.map(parse).findLast((line) => line?.level === FATAL && line.pid === pid);
  if (fatal === undefined) return lines.join('\n').trim();
  return [fatal.msg, fatal.err?.message].filter((text) => text !== undefined).join(': ');
}

function parse(line: string): LogLine | undefined {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return undefined;
  }
}
