import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { projectRoot, readSystemFile, withoutSystem } from '../../system/index.ts';
import type { SystemFile } from '../../system/index.ts';
import { built, eventually, withTempDir } from '../support/index.ts';
import { isAlive } from './is-alive.ts';

interface Started {
  readonly dataDir: string;
  readonly supervisor: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | string | null>;
}

/** Runs what `npm start` runs, with small processes, as a program of its own. */
function start(dataDir: string, variables: Record<string, string> = {}): Started {
  const supervisor = spawn(
    process.execPath,
    ['--enable-source-maps', built(new URL('fixtures/supervise.ts', import.meta.url))],
    {
      cwd: projectRoot,
      env: {
        ...withoutSystem(process.env),
        FIG_DATA_DIR: dataDir,
        FIRST_PORT: '0',
        SECOND_PORT: '0',
        ...variables,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [supervisor.stdout, supervisor.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const ended = new Promise<number | string | null>((resolve) => {
    supervisor.once('close', (code, signal) => resolve(signal ?? code));
  });
  return { dataDir, supervisor, output: () => output, ended };
}

/** Runs it until it says that it is ready, and sees to it that it ends. */
function withStarted(
  dataDir: string,
  use: (started: Started, file: SystemFile) => Promise<void>,
): Promise<void> {
  return using(start(dataDir), async (started) => {
    await eventually(() => started.output().includes('Fig is ready.'), { timeoutMs: 45_000 });
    const file = readSystemFile(dataDir);
    if (!file) throw new Error(`no system.json; it said\n${started.output()}`);
    await use(started, file);
  });
}

async function using(started: Started, use: (started: Started) => Promise<void>): Promise<void> {
  try {
    await use(started);
  } finally {
    started.supervisor.kill('SIGKILL');
    await started.ended;
  }
}

function pidsOf(file: SystemFile): number[] {
  return Object.values(file.processes).map(({ pid }) => pid);
}

describe('npm start', () => {
  it('keeps what it writes to its user, also in a folder of an earlier version', () =>
    withTempDir(async (parent) => {
      const dataDir = join(parent, 'data');
      mkdirSync(dataDir, { mode: 0o755 });
      for (const name of ['supervisor.lock', 'monolith.db', 'flags.json']) {
        writeFileSync(join(dataDir, name), '', { mode: 0o644 });
      }
      await withStarted(dataDir, () => {
        const paths = readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).map((path) =>
          join(dataDir, path),
        );
        expect(paths.length).toBeGreaterThan(3);
        const open = [dataDir, ...paths].filter((path) => (statSync(path).mode & 0o077) !== 0);
        expect(open).toEqual([]);
        return Promise.resolve();
      });
    }));

  it('stops every process in reverse order at Ctrl-C, and leaves none behind', () =>
    withTempDir((dataDir) =>
      withStarted(dataDir, async ({ supervisor, ended }, file) => {
        supervisor.kill('SIGINT');
        // The terminal and npm both pass one keystroke on.
        supervisor.kill('SIGINT');
        expect(await ended).toBe(0);
        expect(pidsOf(file).filter(isAlive)).toEqual([]);
        const notes = readFileSync(join(dataDir, 'order.txt'), 'utf8').trim().split('\n');
        expect(notes).toEqual(['start first', 'start second', 'stop second', 'stop first']);
      }),
    ));

  it('kills what does not stop at the second Ctrl-C', () =>
    withTempDir((dataDir) =>
      using(start(dataDir, { IGNORES_SIGTERM: 'second' }), async (started) => {
        await eventually(() => started.output().includes('Fig is ready.'), { timeoutMs: 45_000 });
        const file = readSystemFile(dataDir);
        started.supervisor.kill('SIGINT');
        await eventually(() => {
          expect(readFileSync(join(dataDir, 'order.txt'), 'utf8')).toContain('ignored second');
        });
        await eventually(() => {
          started.supervisor.kill('SIGINT');
          return started.supervisor.exitCode !== null;
        });
        expect(await started.ended).toBe(130);
        expect(file && pidsOf(file).filter(isAlive)).toEqual([]);
      }),
    ));

  it('leaves nothing behind when the supervisor itself is killed, and starts again', () =>
    withTempDir(async (dataDir) => {
      await withStarted(dataDir, async ({ supervisor, ended }, file) => {
        supervisor.kill('SIGKILL');
        await ended;
        await eventually(() => {
          expect(pidsOf(file).filter(isAlive)).toEqual([]);
        });
        expect(readSystemFile(dataDir)).toEqual(file);
      });
      await withStarted(dataDir, async ({ supervisor, output, ended }) => {
        expect(output()).toContain('the last run did not stop cleanly');
        supervisor.kill('SIGTERM');
        expect(await ended).toBe(0);
      });
    }));

  it('ends a process that a killed supervisor left paused', () =>
    withTempDir(async (dataDir) => {
      let paused = 0;
      await withStarted(dataDir, async ({ supervisor, ended }, file) => {
        paused = file.processes['second']?.pid ?? 0;
        process.kill(paused, 'SIGSTOP');
        supervisor.kill('SIGKILL');
        await ended;
      });
      expect(isAlive(paused)).toBe(true);
      await withStarted(dataDir, (_started, file) => {
        expect(isAlive(paused)).toBe(false);
        expect(file.processes['second']?.pid).not.toBe(paused);
        return Promise.resolve();
      });
    }));

  it('is refused on a folder where one runs, and names its process id', () =>
    withTempDir((dataDir) =>
      withStarted(dataDir, ({ supervisor }) =>
        using(start(dataDir), async (second) => {
          expect(await second.ended).toBe(1);
          expect(second.output()).toContain(`(process ${supervisor.pid})`);
          expect(supervisor.exitCode).toBeNull();
        }),
      ),
    ));

  it('writes JSON lines that name their process where there is no terminal', () =>
    withTempDir((dataDir) =>
      withStarted(dataDir, ({ output }) => {
        const lines = output()
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as { name: string });
        expect(lines.map(({ name }) => name)).toEqual(
          expect.arrayContaining(['supervisor', 'first', 'second']),
        );
        return Promise.resolve();
      }),
    ));
});
