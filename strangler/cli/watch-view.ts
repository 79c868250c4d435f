import type { Paint } from '../../chassis/cli/index.ts';
import { duration } from '../../chassis/text/index.ts';
import type { FacadeAnswer, FacadeStatus } from './facade-status.ts';
import { statusText } from './status-text.ts';
import type { ShownStatus } from './status-text.ts';

const BARS = '▁▂▃▄▅▆▇█';
/** As many looks as a line of lag shows. */
const LAG_LOOKS = 40;
const KEYS: Readonly<Record<string, 'up' | 'down' | 'enter' | 'back' | 'quit'>> = {
  '\u001b[A': 'up',
  '\u001b[B': 'down',
  k: 'up',
  j: 'down',
  '\r': 'enter',
  '\n': 'enter',
  '\u001b': 'back',
  q: 'quit',
  '\u0003': 'quit',
  '\u0004': 'quit',
};

type Traffic = FacadeStatus['traffic'][number];

/** What `fig status -w` shows: all capabilities with their traffic and lag, or the chosen one alone with all of its gates. */
export class WatchView {
  readonly #paint: Paint;
  readonly #lags = new Map<string, number[]>();
  #all: readonly ShownStatus[] = [];
  #around: readonly string[] = [];
  #others: readonly string[] = [];
  #traffic: readonly Traffic[] = [];
  #chosen = 0;
  #isAlone = false;

  constructor(paint: Paint) {
    this.#paint = paint;
  }

  /**
   * @param around lines about what is not a capability
   * @param others about capabilities of which no rows move
   */
  look(
    around: readonly string[],
    all: readonly ShownStatus[],
    facades: readonly FacadeAnswer[],
    others: readonly string[] = [],
  ): void {
    this.#around = around;
    this.#others = others;
    this.#all = all;
    this.#traffic = facades.flatMap(({ facts }) => facts?.traffic ?? []);
    this.#chosen = Math.min(this.#chosen, Math.max(0, all.length - 1));
    for (const { capability, lag } of all) {
      const known = this.#lags.get(capability) ?? [];
      this.#lags.set(capability, [...known, lag?.ms ?? 0].slice(-LAG_LOOKS));
    }
  }

  /** @param key as a terminal sends it. @returns whether that ends it */
  press(key: string): boolean {
    const meant = KEYS[key];
    const last = Math.max(0, this.#all.length - 1);
    if (meant === 'up') this.#chosen = Math.max(0, this.#chosen - 1);
    if (meant === 'down') this.#chosen = Math.min(last, this.#chosen + 1);
    if (meant === 'enter') this.#isAlone = !this.#isAlone;
    if (meant === 'back') this.#isAlone = false;
    return meant === 'quit';
  }

  /** @param columns of the terminal: no line is longer. @param hasKeys whether keys do something */
  text(columns: number, hasKeys: boolean): string {
    const shown = this.#isAlone ? this.#all.slice(this.#chosen, this.#chosen + 1) : this.#all;
    const blocks = shown.map((status) => {
      const [head = '', ...tree] = statusText([], [status], this.#paint, true).trim().split('\n');
      const isChosen = hasKeys && !this.#isAlone && status === this.#all[this.#chosen];
      const gates = this.#isAlone ? this.#gatesOf(status) : [];
      return [isChosen ? `${this.#paint('cyan', '▸')} ${head}` : head]
        .concat(this.#trafficOf(status.capability), this.#lagOf(status), gates, tree)
        .join('\n');
    });
    const keys = this.#isAlone ? 'esc all' : '↑ ↓ choose, enter one alone';
    const around = this.#around.map((line) => this.#paint('dim', line));
    return [
      around.join('\n'),
      ...blocks,
      ...(this.#isAlone ? [] : this.#others),
      ...(hasKeys ? [this.#paint('dim', `${keys}, q quit`)] : []),
    ]
      .join('\n\n')
      .split('\n')
      .flatMap((line) => wrapped(line, columns))
      .join('\n');
  }

  /** Both sides under one another, all facades together. */
  #trafficOf(capability: string): readonly string[] {
    const of = this.#traffic.filter((one) => one.capability === capability);
    const sides = [...new Set(of.map(({ side }) => side))];
    return sides.map((side) => {
      const all = of.filter((one) => one.side === side);
      const sum = (value: (one: Traffic) => number): number =>
        all.reduce((total, one) => total + value(one), 0);
      const errors = sum((one) => one.errorsPerSecond);
      // Latencies can't be added up: that of the worst facade.
      const worst = Math.max(...all.map(({ p99Ms }) => p99Ms ?? 0));
      const failing = `${errors.toFixed(1)} errors/s`;
      return [
        `   ${side.padEnd(9)}  ${sum((one) => one.perSecond).toFixed(1)}/s`,
        errors > 0 ? this.#paint('red', failing) : failing,
        `p99 ${worst === 0 ? '–' : duration(worst)}`,
      ].join(', ');
    });
  }

  #lagOf({ capability, lag }: ShownStatus): readonly string[] {
    if (lag === null) return [];
    return [`   lag        ${sparkline(this.#lags.get(capability) ?? [])}  ${duration(lag.ms)}`];
  }

  #gatesOf({ gates }: ShownStatus): readonly string[] {
    return (gates ?? []).map((gate) => {
      const mark = gate.ok ? this.#paint('green', '✓') : this.#paint('red', '✗');
      const told = gate.ok ? gate.note : gate.reason;
      return `   ${mark} ${gate.gate}${told === null ? '' : `: ${told}`}`;
    });
  }
}

/** The highest value fills its bar. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(1, ...values);
  const top = BARS.length - 1;
  return values.map((value) => BARS[Math.round((value / most) * top)] ?? '').join('');
}

const STYLE = new RegExp(`${String.fromCodePoint(27)}\\[[\\d;]*m`, 'g');

/** A line as several of at most so many columns, broken between words; what is broken is indented. */
export function wrapped(line: string, columns: number): readonly string[] {
  const width = (text: string): number => Array.from(text.replaceAll(STYLE, '')).length;
  if (width(line) <= columns) return [line];
  const indent = ' '.repeat(Math.min(14, Math.max(0, columns - 20)));
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(/(?<= )/)) {
    if (current.trim() !== '' && width(current + word.trimEnd()) > columns) {
      lines.push(current.trimEnd());
      current = indent;
    }
    current += word;
    // One word that fits on no line.
    while (width(current.trimEnd()) > columns) {
      lines.push(current.slice(0, columns));
      current = indent + current.slice(columns);
    }
  }
  return current.trim() === '' ? lines : [...lines, current.trimEnd()];
}
