import { describe, expect, it } from '@jest/globals';
import { blockKinds, matches, readTranscript } from './transcript.ts';

const DOCUMENT = ['text', '```console', '$ one', 'a 1', '$ two', '```', '```sh', '$ no', '```'];

describe('a transcript in a document', () => {
  it('is the commands of console blocks with what they print', () => {
    expect(readTranscript(DOCUMENT.join('\n'))).toEqual([
      { command: 'one', expected: ['a 1'], line: 3 },
      { command: 'two', expected: [], line: 5 },
    ]);
  });

  it('goes on with a command that ends in a backslash', () => {
    const document = ['```console', '$ one \\', '>   two', 'a 1', '```'];
    expect(readTranscript(document.join('\n'))).toEqual([
      { command: 'one \\\n  two', expected: ['a 1'], line: 2 },
    ]);
  });

  it('knows which kinds of blocks there are', () => {
    expect(blockKinds(DOCUMENT.join('\n'))).toEqual(['console', 'sh']);
  });

  it('matches only what was printed', () => {
    expect(matches(['held (12 ms)'], 'held (12 ms)\n')).toBe(true);
    expect(matches(['held (12 ms)'], 'held (13 ms)\n')).toBe(false);
    expect(matches(['held'], 'held\nand more\n')).toBe(false);
    expect(matches([], '')).toBe(true);
    expect(matches([], 'something')).toBe(false);
  });

  it('leaves out what … stands for', () => {
    expect(matches(['held (… ms)'], 'held (13.5 ms)')).toBe(true);
    expect(matches(['+… ms  hold  a b'], '+7 ms   hold  a b')).toBe(true);
    expect(matches(['+7 ms  hold'], '+7 ms   hold')).toBe(false);
    expect(matches(['first', '…', 'last'], 'first\nb\nc\nlast')).toBe(true);
    expect(matches(['first', '…', 'last'], 'first\nlast')).toBe(true);
    expect(matches(['first', '…', 'last'], 'first\nb\n')).toBe(false);
  });
});
