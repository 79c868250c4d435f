import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { freePort, projectRoot, withoutSystem } from '../../system/index.ts';
import { eventually, onFailure, request } from '../support/index.ts';
import { runCommand } from '../scripts/run-command.ts';

interface Block {
  readonly commands: string;
  /** Whether it runs in a terminal of its own. */
  readonly background: boolean;
}

/** The commands of examples/any-app/README.md; the first are those that install. */
export function readme(): readonly Block[] {
  const text = readFileSync(join(projectRoot, 'examples', 'any-app', 'README.md'), 'utf8');
  return [...text.matchAll(/^```sh( background)?\n(.*?)^```$/gms)].map(
    ([, background, commands = '']) => ({ commands, background: background !== undefined }),
  );
}

/** What each block shows, once it has taken effect, in the order of the page. */
const SHOWN = [
  /^last-modified:/im,
  /compared +[1-9]\d* alike, 0 different/,
  /^(?=[^]*x-powered-by: express)(?=[^]*last-modified)/i,
  /^(x-powered-by.*\s+){4}$|^(last-modified.*\s+){4}$/i,
  /shadow 100 %, reads 100 %[^]*products\.reads is 0 %/,
];

/**
 * Does as the page says in a folder where its programs are installed, with free ports in place of its own, up to
 * a Ctrl-C.
 */
export async function followReadme(folder: string, blocks: readonly Block[]): Promise<void> {
  const ports = new Map<string, number>();
  for (const port of ['7001', '7002', '8080', '8081']) ports.set(port, await freePort());
  const withPorts = (text: string): string =>
    text.replaceAll(/\b(7001|7002|8080|8081)\b/g, (port) => String(ports.get(port)));
  const url = (port: string, path: string): string => withPorts(`http://127.0.0.1:${port}${path}`);
  const env = {
    ...withoutSystem(process.env),
    NO_COLOR: '1',
    OLD_URL: url('7001', ''),
    NEW_URL: url('7002', ''),
    FACADE_PORT: withPorts('8080'),
    ADMIN_PORT: withPorts('8081'),
    npm_config_offline: 'true',
  };
  const terminals = blocks.filter(({ background }) => background);
  const children = terminals.map(({ commands }) =>
    spawn('sh', ['-c', `exec ${withPorts(commands)}`], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    }),
  );
  const ends = children.map((child) => once(child, 'close'));
  const kill = (at: number, signal: NodeJS.Signals): void => {
    const child = children[at];
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    process.kill(-(child.pid ?? 0), signal);
  };
  let output = '';
  onFailure(() => `--- the terminals of the page\n${output.split('\n').slice(-30).join('\n')}`);
  for (const { stdout, stderr } of children) {
    for (const stream of [stdout, stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  try {
    const patience = { timeoutMs: 60_000 };
    for (const [port, path] of [
      ['7001', '/products.json'],
      ['7002', '/products'],
    ] as const) {
      await eventually(() => request('GET', url(port, path)), patience);
    }
    await eventually(() => output.includes('Ctrl-C stops it'), patience);
    const shown = blocks.filter(({ background }) => !background);
    expect(shown).toHaveLength(SHOWN.length);
    for (const [at, { commands }] of shown.entries()) {
      // Flags are in force within a moment, and comparisons are made beside the answers.
      await eventually(async () => {
        const ran = await runCommand(['bash', '-ec', withPorts(commands)], { cwd: folder, env });
        expect(ran).toEqual({ code: 0, output: expect.stringMatching(SHOWN[at] ?? /^/) });
      }, patience);
    }
    kill(children.length - 1, 'SIGINT');
    await ends.at(-1);
    expect(output).toContain('"msg":"stopped"');
  } finally {
    for (const at of children.keys()) kill(at, 'SIGKILL');
    await Promise.all(ends);
  }
}
