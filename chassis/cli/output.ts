import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { canRedraw, wantsColour } from '../terminal.ts';
import type { CommandError } from './exit.ts';
import { SCHEMA_VERSION } from '../schema-version.ts';

/** A command that makes sense now, and why. */
export interface NextStep {
  readonly command: string;
  readonly reason: string;
}

/** A terminal that is drawn on. */
export interface Terminal {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
  on?(event: 'resize', listener: () => void): unknown;
  off?(event: 'resize', listener: () => void): unknown;
}

type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

const CODES: Readonly<Record<Colour, number>> = {
  bold: 1,
  dim: 2,
  red: 31,
  green: 32,
  yellow: 33,
  cyan: 36,
};

export type Paint = (colour: Colour, text: string) => string;

/** How whoever gives a command wants to hear of it. */
export interface OutputOptions {
  readonly json: boolean;
  /** Without progress. */
  readonly quiet: boolean;
  /** Why a command changes something. */
  readonly reason?: string;
}

/** Where a command's words go: data to standard output, everything else to standard error. */
export interface Output {
  readonly json: boolean;
  readonly paint: Paint;
  /** Whether standard output may have colours. */
  readonly colours: boolean;
  /** Where results can be drawn, one over the other; absent where they can't. */
  readonly terminal: Terminal | undefined;
  /** The result: as JSON, or as the text for people. */
  result(data: object, text: () => string, next?: readonly NextStep[]): void;
  /** One of many results: a line, or a JSON document on a line of its own. */
  line(text: string, data: object): void;
  /** Does something when the process ends, however it does. */
  atEnd(cleanUp: () => void): void;
  /** One line about what is going on; replaces the line before on a terminal. */
  progress(line: string): void;
  /** Ends the line that `progress` keeps replacing. */
  progressEnd(): void;
  /** Lines that stay, about what is going to happen. */
  say(text: string): void;
  /** Whether FIG_YES answers every question. */
  readonly alwaysYes: boolean;
  /** Asks a person; null where nobody could answer. */
  confirm(question: string): Promise<boolean | null>;
  /** Calls back for each key that is pressed. @returns stops it; undefined where the input is no terminal */
  keys(pressed: (key: string) => void): (() => void) | undefined;
  failure(error: CommandError): void;
  /** Called before a command changes something, or is refused to. @param command as it was given */
  changing?(command: string): Promise<void>;
}

interface Stream extends Terminal {
  readonly isTTY?: boolean;
}

/** What a command line runs in: a process, or a test. */
export interface Surroundings {
  readonly stdout: Stream;
  readonly stderr: Stream;
  /** Absent: there is nobody to ask. */
  readonly stdin?: NodeJS.ReadableStream & {
    readonly isTTY?: boolean;
    setRawMode?(raw: boolean): unknown;
  };
  readonly env: NodeJS.ProcessEnv;
}

export function paintFor(enabled: boolean): Paint {
  return (colour, text) => (enabled ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text);
}

export function createOutput({ json, quiet }: OutputOptions, surroundings: Surroundings): Output {
  const { stdout, stderr, env } = surroundings;
  const colours = wantsColour(env);
  const redraws = canRedraw(stderr, env);
  const loud = paintFor(colours && stderr.isTTY === true);
  let line = '';
  let told = false;
  const progressEnd = (): void => {
    if (line !== '' && redraws) stderr.write('\n');
    line = '';
  };
  const document = (data: object, next: readonly NextStep[]): void => {
    told = true;
    const whole = { schemaVersion: SCHEMA_VERSION, ...data, next_steps: next };
    stdout.write(`${JSON.stringify(whole, null, 2)}\n`);
  };
  return {
    json,
    paint: paintFor(colours && stdout.isTTY === true),
    colours: colours && stdout.isTTY === true,
    terminal: canRedraw(stdout, env) ? stdout : undefined,
    result(data, text, next = []) {
      progressEnd();
      if (json) document(data, next);
      else stdout.write(`${text()}\n`);
    },
    line(text, data) {
      told = true;
      stdout.write(
        json ? `${JSON.stringify({ schemaVersion: SCHEMA_VERSION, ...data })}\n` : `${text}\n`,
      );
    },
    atEnd(cleanUp) {
      process.once('exit', cleanUp);
    },
    progress(next) {
      if (quiet || next === line) return;
      stderr.write(redraws ? `\r\u001b[2K${next}` : `${next}\n`);
      line = next;
    },
    progressEnd,
    say(text) {
      progressEnd();
      if (!quiet) stderr.write(`${text}\n`);
    },
    alwaysYes: env['FIG_YES'] === '1',
    async confirm(question) {
      progressEnd();
      // Looked at only here: a process that touches its standard input may not end by itself.
      const { stdin } = surroundings;
      if (json || stdin?.isTTY !== true) return null;
      stderr.write(`${question} [y/N] `);
      const lines = createInterface({ input: stdin });
      const [answer] = (await Promise.race([
        once(lines, 'line'),
        once(lines, 'close'),
      ])) as string[];
      lines.close();
      return /^y(es)?$/i.test(answer?.trim() ?? '');
    },
    keys(pressed) {
      const { stdin } = surroundings;
      if (json || stdin?.isTTY !== true || !stdin.setRawMode) return undefined;
      const take = (typed: Buffer | string): void => pressed(String(typed));
      stdin.setRawMode(true);
      stdin.resume().on('data', take);
      return () => {
        stdin.off('data', take).pause();
        stdin.setRawMode?.(false);
      };
    },
    failure({ code, message, next, facts }) {
      progressEnd();
      // A script reads one document: a result that says what is wrong is enough.
      if (json && !told) {
        const steps = next === null ? [] : [{ command: next, reason: message }];
        document({ error: { ...facts, code, message } }, steps);
      }
      stderr.write(`${loud('red', 'error')}: ${message}\n`);
      if (next !== null) stderr.write(`${loud('dim', 'next:')} ${next}\n`);
    },
  };
}
