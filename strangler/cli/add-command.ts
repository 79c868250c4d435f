import { InvalidArgumentError, Option } from 'commander';
import type { Context } from './context.ts';
import type { Output, OutputOptions, Surroundings } from '../../chassis/cli/index.ts';

export { addCommand, parsePositive, YES } from '../../chassis/cli/index.ts';
export type { CommandHelp } from '../../chassis/cli/index.ts';

/**
 * Gives a command what it works on, once its options are understood.
 * @param find finds that: the system of the configuration when left out; `withEnvironment` for a command that needs none,
 *   `withSurroundings` for one that also asks questions
 */
export type Run = <Found = Context>(
  options: OutputOptions,
  work: (found: Found, output: Output) => Promise<void>,
  find?: (env: NodeJS.ProcessEnv, surroundings: Surroundings) => Promise<Found>,
) => Promise<void>;

/** For commands that need no configuration. */
export const withEnvironment = (env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> =>
  Promise.resolve(env);

export const withSurroundings = (
  _env: NodeJS.ProcessEnv,
  surroundings: Surroundings,
): Promise<Surroundings> => Promise.resolve(surroundings);

/** The options of a command that waits. */
export interface Timed extends OutputOptions {
  /** For how long, in ms. */
  readonly timeout: number;
}

/** How long a command waits, given in seconds. @param ms how long it does where nothing is said */
export function patience(does: string, ms: number): Option {
  return new Option('--timeout <seconds>', does)
    .argParser(parseSeconds)
    .default(ms, String(ms / 1_000));
}

/** For commands that change something. */
export const DRY_RUN = ['--dry-run', 'show the steps, and change nothing'] as const;
/** For commands that change something: for the audit trail. */
export const REASON = ['--reason <text>', 'why, for the audit trail: fig audit'] as const;
/** For commands that copy rows. */
export const DELETE_ROWS = [
  '--delete-rows <count>',
  'also where so many rows vanish from the side that is copied to: as the refusal names them',
] as const;
/** For commands that set flags. */
export const OVERWRITE = [
  '--overwrite',
  'also replace strategies and constraints that Fig did not set',
] as const;
export const ALL = 'all of them when left out';

/** @throws InvalidArgumentError, as the parsers below */
export function parseSeconds(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value * 1_000;
  throw new InvalidArgumentError('Give a number of seconds above 0.');
}

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A moment in the past: how long ago it was, or a date; in ms since 1970. */
export function parseMoment(text: string): number {
  const [, count, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const at =
    count === undefined ? Date.parse(text) : Date.now() - Number(count) * (UNIT_MS[unit] ?? 0);
  if (Number.isFinite(at)) return at;
  throw new InvalidArgumentError('Give a time such as 90m, 2h, 7d or 2026-03-01T14:00.');
}

/** Rows a second; null for no limit. */
export function parseRate(text: string): number | null {
  if (text === 'off') return null;
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value <= 1e9) return value;
  throw new InvalidArgumentError('Give a whole number of rows a second above 0, or off.');
}

export function parsePercent(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 100) return value;
  throw new InvalidArgumentError('Give a share above 0 and up to 100.');
}

/** Keys of rows, such as customers, separated by commas. */
export function parseKeys(text: string): readonly string[] {
  const all = text.split(',').map((key) => key.trim());
  if (all.every((key) => key !== '' && key !== '*')) return all;
  throw new InvalidArgumentError('Give keys separated by commas, such as CUST-1,CUST-2.');
}
