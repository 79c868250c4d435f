import { readFileSync } from 'node:fs';

/** One instruction that has an effect on files, in the order of the file. */
export type Step =
  | { readonly what: 'workdir'; readonly path: string }
  | {
      readonly what: 'copy';
      /** The stage that it copies from; the build's own files when absent. */
      readonly from: string | undefined;
      readonly sources: readonly string[];
      readonly target: string;
    }
  | { readonly what: 'run'; readonly command: string };

export interface Stage {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly env: Readonly<Record<string, string>>;
  /** The command of a container that is given none. */
  readonly command: readonly string[];
}

/** Reads the part of a Dockerfile's language that ours uses. @throws Error at anything else */
export function readDockerfile(file: string): readonly Stage[] {
  const text = readFileSync(file, 'utf8')
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '');
  const stages: { name: string; steps: Step[]; env: Record<string, string>; command: string[] }[] =
    [];
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    const [instruction = '', rest = ''] = line.split(/ (.*)/s);
    if (instruction === 'FROM') {
      const name = / AS (\S+)$/.exec(rest)?.[1] ?? String(stages.length);
      stages.push({ name, steps: [], env: {}, command: [] });
      continue;
    }
    const stage = stages.at(-1);
    if (!stage) throw new Error(`before the first FROM: ${line}`);
    if (instruction === 'ENV') {
      const [variable = '', value = ''] = rest.split('=');
      Object.assign(stage.env, { [variable]: value });
    } else if (instruction === 'CMD') stage.command = JSON.parse(rest) as string[];
    // Whom it runs as, and what is kept, are no files.
    else if (!['USER', 'VOLUME'].includes(instruction)) stage.steps.push(stepOf(instruction, rest));
  }
  return stages;
}

function stepOf(instruction: string, rest: string): Step {
  switch (instruction) {
    case 'WORKDIR':
      return { what: 'workdir', path: rest };
    case 'RUN':
      return { what: 'run', command: rest };
    case 'COPY': {
      const words = rest.split(' ');
      const from = words[0]?.startsWith('--from=') ? words.shift()?.slice(7) : undefined;
      const target = words.pop() ?? '';
      return { what: 'copy', from, sources: words, target };
    }
    default:
      throw new Error(`${instruction} is not known here`);
  }
}
