import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { projectRoot, readSystemFile } from '../../system/index.ts';
import { eventually, inSoak, withTempDir } from '../support/index.ts';
import { createReader } from './reader.ts';
import { Shell } from './shell.ts';
import { blockKinds, matches, readTranscript } from './transcript.ts';

const FOLDER = join('docs', 'playbook');
/** The overview and the first page, which starts a system and looks at it; all in the soak. */
const PAGES = inSoak(Number.POSITIVE_INFINITY, 2);

interface Document {
  readonly file: string;
  readonly text: string;
}

/** In the order in which they are meant to be read: by number, the overview first. */
async function documents(): Promise<Document[]> {
  const names = (await readdir(join(projectRoot, FOLDER))).filter((name) => name.endsWith('.md'));
  const ordered = names.sort((left, right) => rank(left) - rank(right));
  return Promise.all(
    ordered.map(async (name) => {
      const file = join(FOLDER, name);
      return { file, text: await readFile(join(projectRoot, file), 'utf8') };
    }),
  );
}

function rank(name: string): number {
  return name === 'README.md' ? 0 : Number.parseInt(name, 10);
}

async function endOfLog(dataDir: string): Promise<string> {
  const log = await readFile(join(dataDir, 'start.log'), 'utf8').catch(() => '');
  return log.trimEnd().split('\n').slice(-10).join('\n');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Stops the system that the documents have started, wherever they came to. */
async function stopSystem(dataDir: string): Promise<void> {
  const pid = readSystemFile(dataDir)?.pid;
  if (pid === undefined || !isAlive(pid)) return;
  process.kill(pid, 'SIGTERM');
  await eventually(() => !isAlive(pid), { timeoutMs: 30_000 });
}

describe('the playbook', () => {
  it('has no block of commands that would not be run', async () => {
    for (const { file, text } of await documents()) {
      const kinds = blockKinds(text).filter((kind) => kind !== 'mermaid');
      expect({ file, kinds }).toEqual({ file, kinds: kinds.map(() => 'console') });
    }
  });

  it('prints what it says, command after command, on a system that it starts itself', async () => {
    await withTempDir(async (folder) => {
      const dataDir = join(folder, 'data');
      const reader = await createReader(dataDir);
      const shell = new Shell({ cwd: projectRoot, env: reader.env });
      try {
        for (const { file, text } of (await documents()).slice(0, PAGES)) {
          for (const { command, expected, line } of readTranscript(text)) {
            const printed = await shell.run(reader.adapt(command));
            if (matches(expected.map(reader.adapt), printed)) continue;
            throw new Error(
              ['', `${file}:${line}`, `$ ${command}`]
                .concat('--- expected', expected, '--- printed', printed)
                .join('\n'),
            );
          }
        }
      } catch (error) {
        const log = await endOfLog(dataDir);
        throw new Error(`${String(error)}\n--- the system's log ends\n${log}`, { cause: error });
      } finally {
        await stopSystem(dataDir);
        await shell.close();
      }
    });
  }, 400_000);
});
