import { createRequire } from 'node:module';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFlagFile, flagsOf } from '../../routing/index.ts';
import type { Survey } from '../assess/index.ts';
import { configText, withoutPassword } from './config-text.ts';
import { writeFiles } from './kept-files.ts';
import type { NewFile, WrittenFile } from './kept-files.ts';
import { mappingText, QUESTION } from './mapping-text.ts';
import { inOrder } from './propose.ts';
import { readmeText } from './readme-text.ts';
import { schemaText } from './schema-text.ts';

interface InitOptions {
  readonly directory: string;
  readonly survey: Survey;
  readonly name: string;
  readonly tables: readonly string[];
  readonly routes: readonly string[];
  readonly monolithUrl: string;
  readonly databaseUrl: string;
}

export interface InitResult {
  readonly files: readonly WrittenFile[];
  /** How many questions the files have that were written now. */
  readonly questions: number;
}

/**
 * Writes a configuration for one capability; files that a person has changed stay as they are.
 * @param options tables that are in the survey
 */
export async function writeConfiguration(options: InitOptions): Promise<InitResult> {
  const { directory, survey, name, routes, monolithUrl, databaseUrl } = options;
  const all = survey.tables.filter(({ visible }) => visible);
  const tables = inOrder(all, options.tables).flatMap((each) =>
    all.filter((table) => table.name === each),
  );
  const from = importsFor(directory);
  const files: NewFile[] = [
    {
      name: 'fig.config.ts',
      text: configText({ name, monolithUrl, databaseUrl, routes, from: from.config }),
    },
    { name: `${name}.mapping.ts`, text: mappingText({ name, tables, all, from: from.mapping }) },
    { name: `${name}.sql`, text: schemaText(tables) },
    {
      name: 'README.md',
      text: readmeText({ name, databaseUrl: withoutPassword(databaseUrl) }),
    },
  ];
  const written = await writeFiles(directory, files);
  const flags = join(directory, 'flags.json');
  // Flags are an operator's as soon as they are there.
  const hadFlags = existsSync(flags);
  if (!hadFlags) await createFlagFile(flags, flagsOf(name));
  const fresh = files.filter((file) =>
    written.some((one) => one.name === file.name && one.outcome === 'written'),
  );
  return {
    files: [...written, { name: 'flags.json', outcome: hadFlags ? 'kept' : 'written' }],
    questions: fresh
      .filter(({ name: file }) => file !== 'README.md')
      .reduce((sum, { text }) => sum + text.split(QUESTION).length - 1, 0),
  };
}

interface Imports {
  readonly config: string;
  readonly mapping: string;
}

/** Of the package, where the folder finds it; of this copy of it otherwise. */
function importsFor(directory: string): Imports {
  const here = dirname(fileURLToPath(import.meta.url));
  const name = packageName(here);
  if (name !== undefined && resolves(name, directory)) return { config: name, mapping: name };
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const to = (path: string): string => {
    const between = relative(resolve(directory), join(here, path)).split(sep).join('/');
    return between.startsWith('.') ? between : `./${between}`;
  };
  return {
    config: to(`../../routing/index.${extension}`),
    mapping: to(`../mapping/index.${extension}`),
  };
}

function packageName(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) {
      return (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name;
    }
    if (folder === dirname(folder)) return undefined;
  }
}

function resolves(name: string, directory: string): boolean {
  try {
    createRequire(join(resolve(directory), 'fig.config.ts')).resolve(name);
    return true;
  } catch {
    return false;
  }
}
