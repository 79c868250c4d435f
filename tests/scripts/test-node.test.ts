import { expect, it } from '@jest/globals';
import { projectRoot } from '../../system/index.ts';
import { runCommand } from './run-command.ts';

const testNode = (...words: readonly string[]) =>
  runCommand([process.execPath, 'scripts/test-node.js', ...words], {
    cwd: projectRoot,
    env: process.env,
  });

it('explains itself, and asks for one major version of Node', async () => {
  expect(await testNode('--help')).toMatchObject({
    code: 0,
    output: expect.stringContaining('Usage: npm run test:node -- MAJOR [--keep]'),
  });
  for (const words of [[], ['latest'], ['24', '26'], ['24.1']]) {
    const { code, output } = await testNode(...words);
    expect([words, code]).toEqual([words, 2]);
    expect(output).toContain('give one major version of Node, such as 24');
  }
});
