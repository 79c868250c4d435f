import { describe, expect, it } from '@jest/globals';
import { run } from './command.ts';

const node = (code: string): readonly string[] => ['-e', code];

describe('run', () => {
  it('returns what a command writes', async () => {
    expect(await run(process.execPath, node('console.log(1)'))).toBe('1\n');
  });

  it('says how a command failed, with what it wrote', async () => {
    const failing = run(process.execPath, node('console.error("no"); process.exitCode = 3'));
    await expect(failing).rejects.toMatchObject({
      name: 'CommandFailed',
      isLate: false,
      message: expect.stringMatching(/failed \(3\)\nno$/),
    });
  });

  it('ends one that takes longer than it may', async () => {
    const hanging = run(process.execPath, node('setInterval(() => {}, 1000)'), { timeout: 300 });
    await expect(hanging).rejects.toMatchObject({
      isLate: true,
      message: expect.stringContaining('failed (it did not end within 0.3 s)'),
    });
  });
});
