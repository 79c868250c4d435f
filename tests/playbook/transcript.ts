/** One command of a document, and what the document says it prints. */
export interface Exchange {
  readonly command: string;
  readonly expected: readonly string[];
  /** Where it stands, for the failure's message. */
  readonly line: number;
}

/**
 * The commands of a Markdown document's `console` blocks, in order. A line that starts with `$ `
 * is a command, `> ` goes on with one that ends in a backslash; the lines up to the next command
 * are what it prints.
 */
export function readTranscript(markdown: string): Exchange[] {
  const exchanges: { command: string; expected: string[]; line: number }[] = [];
  let inside = false;
  for (const [index, line] of markdown.split('\n').entries()) {
    const last = exchanges.at(-1);
    if (line.startsWith('```')) {
      inside = line === '```console';
    } else if (inside && line.startsWith('$ ')) {
      exchanges.push({ command: line.slice(2), expected: [], line: index + 1 });
    } else if (inside && last?.expected.length === 0 && last.command.endsWith('\\')) {
      last.command += `\n${line.replace(/^> /, '')}`;
    } else if (inside) {
      last?.expected.push(line);
    }
  }
  return exchanges;
}

/** What fenced blocks a document has, by the word after the fence. */
export function blockKinds(markdown: string): string[] {
  const fences = markdown.split('\n').filter((line) => line.startsWith('```'));
  return fences.filter((_line, index) => index % 2 === 0).map((line) => line.slice(3));
}

/**
 * A printed line as a pattern: `…` stands for what differs from run to run, and with it the gaps
 * between columns, which are as wide as the widest of what differs.
 */
function linePattern(line: string): string {
  const exact = line.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return line.includes('…') ? exact.replaceAll(/ {2,}/g, ' {2,}').replaceAll('…', '.*?') : exact;
}

/**
 * Whether a command printed what the document shows. `…` inside a line stands for any text of the
 * line; a line of only `…` for any number of lines. Empty lines at the end do not count.
 */
export function matches(expected: readonly string[], printed: string): boolean {
  const shown = expected.slice(0, expected.findLastIndex((line) => line.trim() !== '') + 1);
  if (shown.length === 0) return printed.trim() === '';
  const lines = shown.map((line) =>
    line.trim() === '…' ? '(?:.*\\n)*?' : `${linePattern(line.trimEnd())}[ \\t]*\\n`,
  );
  return new RegExp(`^${lines.join('')}$`).test(`${printed.trimEnd()}\n`);
}
