import { expect, it } from '@jest/globals';
import { projectRoot } from '../../system/index.ts';
import { runCommand } from './run-command.ts';

it('a clean install can have all that the lockfile names', async () => {
  // As scripts/prepare.js installs; it installs nothing, and asks no registry.
  const given = ['--include=dev', '--dry-run', '--offline', '--no-audit', '--no-fund'];
  const { code, output } = await runCommand(['npm', 'ci', ...given], {
    cwd: projectRoot,
    env: process.env,
  });
  expect(output).not.toMatch(/Missing: .* from lock file/);
  expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
});
