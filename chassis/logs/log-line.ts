/** By pino's numbers. */
export const LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const;
export type LevelName = keyof typeof LEVELS;

/** A line as it is kept, and what is known of it. */
export interface LogLine {
  readonly name: string;
  readonly text: string;
  /** What a line of pino says; that of any other program has its text as `msg`. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** ms since 1970. A line that says none is as old as the one before it. */
  readonly time: number;
  readonly level: number;
  readonly traceId: string | undefined;
}

/** @param before what the line before it said of its time */
export function logLine(name: string, text: string, before: number): LogLine {
  const fields = objectIn(text) ?? { msg: text };
  const { time = before, level = LEVELS.info, traceId } = fields;
  return {
    name,
    text,
    fields,
    time: typeof time === 'number' ? time : before,
    level: typeof level === 'number' ? level : LEVELS.info,
    traceId: typeof traceId === 'string' ? traceId : undefined,
  };
}

function objectIn(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
