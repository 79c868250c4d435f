import { describe, expect, it } from '@jest/globals';
import { lastWords } from './last-words.ts';

const line = (content: object): string => JSON.stringify(content);

describe('lastWords', () => {
  it('are the fatal line of this very process, with its error', () => {
    const lines = [
      line({ level: 60, pid: 1, msg: 'of an earlier one' }),
      line({ level: 30, pid: 2, msg: 'starting' }),
      line({ level: 60, pid: 2, msg: 'could not start', err: { message: 'no such table' } }),
      line({ level: 30, pid: 2, msg: 'stopping' }),
    ];
    expect(lastWords(lines, 2)).toBe('could not start: no such table');
  });

  it('are all lines where none is fatal, such as a stack trace', () => {
    expect(lastWords(['SyntaxError: what', '  at where'], 2)).toBe('SyntaxError: what\n  at where');
  });

  it('are empty for one that said nothing', () => {
    expect(lastWords([], 2)).toBe('');
  });
});
