import { fork } from 'node:child_process';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { createFlagFile, flagsOf } from '../../routing/index.ts';
import { projectRoot } from '../../system/index.ts';
import { eventually, onFailure, withTempDir } from '../support/index.ts';

const PROGRAM = join(projectRoot, 'dist', 'strangler', 'main.js');

const configOf = (extracted: string, holdMs: number): object => ({
  upstreams: { old: 'http://127.0.0.1:9' },
  monolith: 'old',
  capabilities: {
    pages: {
      legacy: 'old',
      extracted: 'old',
      routes: ['/pages/*'],
      databases: { legacy: 'file:a.db', extracted },
    },
  },
  limits: { holdMs },
});

it('an engine says which settings it takes over only when it is started again', () =>
  withTempDir(async (folder) => {
    const file = join(folder, 'fig.config.json');
    const configure = async (config: object): Promise<void> => {
      await writeFile(`${file}.next`, JSON.stringify(config));
      await rename(`${file}.next`, file);
    };
    await configure(configOf('file:b.db', 1_000));
    await createFlagFile(join(folder, 'flags.json'), flagsOf('pages'));
    const child = fork(PROGRAM, [], {
      env: { PATH: process.env['PATH'], FIG_CONFIG: file, FIG_DATA_DIR: folder, ENGINE_PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    let log = '';
    onFailure(() => `--- the log of the engine\n${log}`);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (log += text));
    }
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const warnings = (): number => log.split('some of it needs a restart').length - 1;
    try {
      await eventually(() => log.includes('"listening"'));
      // The facade takes this over, and it is none of the engine's.
      await configure(configOf('file:b.db', 2_000));
      await configure(configOf('file:c.db', 2_000));
      await eventually(() => warnings() === 1);
      expect(log).toContain('"restart":{"engine":["capabilities.pages.databases"]}');
      // It still is what it was at the start that is in force.
      await configure(configOf('file:c.db', 3_000));
      await eventually(() => warnings() === 2);
    } finally {
      child.kill('SIGTERM');
      await ended;
    }
  }));
