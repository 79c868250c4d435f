import type { Terminal } from '../../chassis/cli/index.ts';

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_ALL = '\u001b[2J\u001b[H';
const CLEAR_BELOW = '\u001b[J';
const CLEAR_LINE = '\u001b[K';
/** A change of style, which takes no room. */
const STYLE = new RegExp(`^${String.fromCodePoint(27)}\\[[\\d;]*m`);
const RESET = '\u001b[0m';

/** Draws one frame over the other, in place, so that nothing flickers and nothing scrolls away. */
export class Screen {
  readonly #terminal: Terminal;
  readonly #onResize: () => void;
  #drawn = 0;
  #resized = false;

  /** @param redraw called when the size has changed: lines have moved, and all is to be drawn anew */
  constructor(terminal: Terminal, redraw: () => void) {
    this.#terminal = terminal;
    this.#onResize = () => {
      this.#resized = true;
      redraw();
    };
    terminal.on?.('resize', this.#onResize);
    terminal.write(HIDE_CURSOR);
  }

  draw(frame: string): void {
    const { columns = 80, rows = 24 } = this.#terminal;
    const lines = fitting(frame.split('\n'), columns, rows);
    const home = this.#resized ? CLEAR_ALL : up(this.#drawn);
    const text = lines.map((line) => `${line}${CLEAR_LINE}\n`).join('');
    this.#terminal.write(`${home}${text}${CLEAR_BELOW}`);
    this.#drawn = lines.length;
    this.#resized = false;
  }

  /** Leaves the last frame where it is, and the terminal as it was. */
  close(): void {
    this.#terminal.off?.('resize', this.#onResize);
    this.#terminal.write(SHOW_CURSOR);
  }
}

function up(lines: number): string {
  return lines === 0 ? '' : `\u001b[${lines}F`;
}

/** As many lines as there is room for, each on one row; the cursor needs a row of its own. */
function fitting(lines: readonly string[], columns: number, rows: number): readonly string[] {
  const room = Math.max(1, rows - 1);
  const shown =
    lines.length <= room
      ? lines
      : [...lines.slice(0, room - 1), `… ${lines.length - room + 1} more lines`];
  return shown.map((line) => cut(line, columns));
}

/** Cuts a line to a width, without counting what only changes its style. */
export function cut(line: string, columns: number): string {
  let width = 0;
  let kept = '';
  let rest = line;
  let styled = false;
  while (rest !== '') {
    const style = STYLE.exec(rest)?.[0];
    if (style !== undefined) {
      kept += style;
      rest = rest.slice(style.length);
      styled = true;
      continue;
    }
    const [letter = ''] = rest;
    if (width === columns - 1 && visible(rest) > 1) return `${kept}…${styled ? RESET : ''}`;
    kept += letter;
    rest = rest.slice(letter.length);
    width += 1;
  }
  return kept;
}

function visible(text: string): number {
  return Array.from(text.replaceAll(new RegExp(STYLE.source.slice(1), 'g'), '')).length;
}
