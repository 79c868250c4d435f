import { describe, expect, it } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { cut, Screen } from './screen.ts';

const RED = '\u001b[31m';
const RESET = '\u001b[0m';
const CONTROL = new RegExp(`${String.fromCodePoint(27)}\\[(\\??[\\d;]*)([A-Za-z])`, 'g');

/** As much of a terminal as is drawn with: the cursor, lines, and what erases them. */
class SmallTerminal extends EventEmitter {
  lines: string[] = [''];
  isCursorShown = true;
  columns = 40;
  rows = 6;
  #row = 0;

  write(text: string): void {
    let from = 0;
    for (const match of text.matchAll(CONTROL)) {
      this.#print(text.slice(from, match.index));
      this.#control(match[1] ?? '', match[2] ?? '');
      from = match.index + match[0].length;
    }
    this.#print(text.slice(from));
  }

  get shown(): readonly string[] {
    return this.lines.slice(0, this.lines.findLastIndex((line) => line !== '') + 1);
  }

  #print(text: string): void {
    for (const [index, part] of text.split('\n').entries()) {
      if (index > 0) this.#row += 1;
      this.lines[this.#row] = part === '' ? (this.lines[this.#row] ?? '') : part;
    }
  }

  #control(parameters: string, letter: string): void {
    if (letter === 'F') this.#row -= Number(parameters);
    if (letter === 'J') this.lines = parameters === '2' ? [''] : this.lines.slice(0, this.#row);
    if (letter === 'H') this.#row = 0;
    if (letter === 'h' || letter === 'l') this.isCursorShown = letter === 'h';
  }
}

describe('a screen', () => {
  it('draws each frame over the one before, also when it is shorter', () => {
    const terminal = new SmallTerminal();
    const screen = new Screen(terminal, () => undefined);
    screen.draw('one\ntwo\nthree');
    expect(terminal.isCursorShown).toBe(false);
    screen.draw('four\nfive');
    expect(terminal.shown).toEqual(['four', 'five']);
    screen.close();
    expect(terminal.isCursorShown).toBe(true);
    expect(terminal.listenerCount('resize')).toBe(0);
  });

  it('keeps to the size there is, and draws all anew when that changes', () => {
    const terminal = new SmallTerminal();
    const screen = new Screen(terminal, () => screen.draw('a\nb\nc\nd\ne\nf\ng'));
    screen.draw('a\nb\nc\nd\ne\nf\ng');
    expect(terminal.shown).toEqual(['a', 'b', 'c', 'd', '… 3 more lines']);
    terminal.rows = 10;
    terminal.emit('resize');
    expect(terminal.shown).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    screen.close();
  });
});

describe('cutting a line', () => {
  it.each([
    ['short', 10, 'short'],
    ['exactly so', 10, 'exactly so'],
    ['a bit too long', 10, 'a bit too…'],
    [`${RED}a bit too long${RESET}`, 10, `${RED}a bit too…${RESET}`],
    [`${RED}exactly so${RESET}`, 10, `${RED}exactly so${RESET}`],
    ['├─ ümlaute', 6, '├─ üm…'],
  ])('of %j at %i gives %j', (line, columns, left) => expect(cut(line, columns)).toBe(left));
});
