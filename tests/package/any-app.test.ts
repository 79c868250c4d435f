import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, it } from '@jest/globals';
import { projectRoot } from '../../system/index.ts';
import { withTempDir } from '../support/index.ts';
import { followReadme, readme } from './any-app.ts';

const require = createRequire(import.meta.url);

/** The program of an installed package. */
async function programOf(name: string): Promise<string> {
  const file = require.resolve(`${name}/package.json`);
  const { bin } = JSON.parse(await readFile(file, 'utf8')) as {
    bin: string | Record<string, string>;
  };
  return join(dirname(file), typeof bin === 'string' ? bin : (bin[name] ?? ''));
}

it('examples/any-app does what its page says', () =>
  withTempDir(async (folder) => {
    await cp(join(projectRoot, 'examples', 'any-app'), folder, { recursive: true });
    // As npm would have put them there; package.soak.test.ts has npm do so.
    const programs = join(folder, 'node_modules', '.bin');
    await mkdir(programs, { recursive: true });
    await symlink(join(projectRoot, 'bin', 'fig'), join(programs, 'fig'));
    for (const name of ['http-server', 'json-server']) {
      await symlink(await programOf(name), join(programs, name));
    }
    const [install, ...blocks] = readme();
    expect(install?.commands).toContain('npm install strangler-fig');
    // npx takes a second each time; the soak has it take the same programs.
    const direct = blocks.map(({ commands, ...block }) => ({
      ...block,
      commands: commands.replaceAll('npx ', 'node_modules/.bin/'),
    }));
    await followReadme(folder, direct);
  }));
