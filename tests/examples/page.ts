import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../system/index.ts';

const PAGE = join(projectRoot, 'docs', 'your-own-monolith.md');

/** The commands of fig in a section of `docs/your-own-monolith.md`, in their order, without `fig`. */
export async function commandsOf(heading: string): Promise<readonly string[]> {
  const page = await readFile(PAGE, 'utf8');
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`${PAGE} has no section ${heading}`);
  const blocks = [...section.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block);
  return blocks.flatMap((block) =>
    block.split('\n').flatMap((line) => (line.startsWith('fig ') ? [line.slice(4)] : [])),
  );
}
