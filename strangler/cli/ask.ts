import { createInterface } from 'node:readline';
import type { Surroundings } from '../../chassis/cli/index.ts';

/** Asks a person for a line of text; null where the input is no terminal, or the line is empty. */
export async function ask(
  { stdin, stderr }: Surroundings,
  question: string,
): Promise<string | null> {
  if (stdin?.isTTY !== true) return null;
  stderr.write(`${question} `);
  const lines = createInterface({ input: stdin });
  try {
    const { value } = (await lines[Symbol.asyncIterator]().next()) as { value?: string };
    return value?.trim() || null;
  } finally {
    lines.close();
  }
}
