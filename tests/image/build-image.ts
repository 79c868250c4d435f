import { cpSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { projectRoot } from '../../system/index.ts';
import { readDockerfile } from './dockerfile.ts';
import type { Stage, Step } from './dockerfile.ts';

/** An image's files, in a folder in place of its root. */
export interface Image {
  /** Where the last WORKDIR is. */
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
}

interface BuildOptions {
  /** An empty folder for the stages. */
  readonly directory: string;
  /** Carries out what a RUN says about the programs of the image, in its working folder. */
  readonly run: (command: string, cwd: string) => Promise<void>;
}

/** What prepares the system around the programs, not the programs. */
const OF_THE_SYSTEM = /^(apt-get|mkdir -m 700 \/data) /;

/** Does in folders what `docker build` does in layers, from exactly the files that it would copy. */
export async function buildImage({ directory, run }: BuildOptions): Promise<Image> {
  const stages = readDockerfile(join(projectRoot, 'Dockerfile'));
  let image: Image | undefined;
  for (const stage of stages) image = await buildStage(stage, directory, run);
  if (!image) throw new Error('the Dockerfile has no stage');
  return image;
}

async function buildStage(
  { name, steps, env, command }: Stage,
  directory: string,
  run: BuildOptions['run'],
): Promise<Image> {
  const root = join(directory, name);
  let workdir = root;
  for (const step of steps) {
    if (step.what === 'workdir') workdir = join(root, step.path);
    mkdirSync(workdir, { recursive: true });
    if (step.what === 'copy') copy(step, directory, workdir);
    if (step.what === 'run' && !OF_THE_SYSTEM.test(step.command)) await run(step.command, workdir);
  }
  return { directory: workdir, env, command };
}

function copy(
  { from, sources, target }: Extract<Step, { what: 'copy' }>,
  directory: string,
  workdir: string,
): void {
  for (const source of sources) {
    const path =
      from === undefined ? join(projectRoot, source) : join(directory, from, resolve('/', source));
    const into = statSync(path).isDirectory() || !target.endsWith('/');
    cpSync(path, into ? join(workdir, target) : join(workdir, target, basename(source)), {
      recursive: true,
      verbatimSymlinks: true,
      filter: from === undefined ? isSent : () => true,
    });
  }
}

const ignored = new Set(readFileSync(join(projectRoot, '.dockerignore'), 'utf8').match(/\S+/g));

/** Whether a file goes to the build at all: `.dockerignore` names folders of the root. */
function isSent(path: string): boolean {
  const [first = ''] = relative(projectRoot, path).split('/');
  return !ignored.has(first);
}
