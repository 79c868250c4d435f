import { expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../system/index.ts';
import { eventually, withTempDir } from '../support/index.ts';
import { withSpawnedFacade } from './spawned-facade.ts';

it('fig tells what a facade goes by, and since when it can not read the flags, where no engine runs', () =>
  withTempDir((folder) => {
    const config = {
      upstreams: { old: 'http://127.0.0.1:9', new: 'http://127.0.0.1:9' },
      monolith: 'old',
      capabilities: { stock: { legacy: 'old', extracted: 'new', routes: ['/stock/*'] } },
    };
    return withSpawnedFacade({ folder, config }, async ({ adminUrl, flags, operator }) => {
      const facade = async (): Promise<string> =>
        (await fetch(`${adminUrl}/status`, { headers: operator })).text();
      const env = {
        PATH: process.env['PATH'],
        FIG_DATA_DIR: folder,
        FIG_CONFIG: join(folder, 'fig.config.yaml'),
        FIG_FLAGS_FILE: join(folder, 'flags.json'),
        ENGINE_URL: 'http://127.0.0.1:9',
        ADMIN_URL: adminUrl,
      };
      const fig = (line: string): Promise<{ code: number; told: string }> =>
        new Promise((resolve) => {
          const words = [join(projectRoot, 'bin', 'fig'), ...line.split(' ')];
          execFile(process.execPath, words, { env }, (error, stdout, stderr) => {
            resolve({ code: error ? Number(error.code) : 0, told: stdout + stderr });
          });
        });
      await flags({ 'stock.reads': 25 });
      await eventually(async () => expect(await facade()).toContain('"reads":25'));
      await writeFile(join(folder, 'flags.json'), '{');
      await eventually(async () => expect(await facade()).toContain('not JSON'));
      const { flags: known } = JSON.parse(await facade()) as {
        flags: { trouble: { since: number } };
      };
      const since = new Date(known.trouble.since).toISOString();
      expect(await fig('flags')).toMatchObject({
        code: 1,
        told: expect.stringMatching(
          `^still in force, as the facade at ${adminUrl} has read them last:\n  stock: shadow 0 %, reads 25 %, writes off\n` +
            `error: the flags of .+flags.json can't be read since ${since}: it is not JSON`,
        ),
      });
      expect((await fig('status')).told).toContain(`can't be read since ${since}: it is not JSON`);
      expect((await fig('status')).told).toContain('what was read last stays in force');
      expect((await fig('doctor')).told).toContain(`can't be read since ${since}`);
      await rm(join(folder, 'flags.json'));
      expect((await fig('flags --json')).told).toContain('"reads": 25');
    });
  }));
