import { withoutStatement } from './database-trouble.ts';
import { errorText } from './error-text.ts';

/** Work that a process has given up on until an operator decides about it. */
export interface DeadLetter {
  /** Unique among the dead letters of its kind in one process. */
  readonly id: string;
  /** What could not be done, in words: who could not take which event, or which step of what. */
  readonly what: string;
  /** What the last attempt failed with. */
  readonly reason: string;
  readonly attempts: number;
  /** When it was given up; ms since 1970. */
  readonly since: number;
}

/** A dead letter with what an operator has to see to decide about it, without secrets. */
export interface OpenedDeadLetter extends DeadLetter {
  readonly details: unknown;
}

/** All dead letters of one kind in one process. */
export interface DeadLetterSource {
  /** The oldest first. */
  list(limit: number): Promise<readonly DeadLetter[]>;
  count(): Promise<number>;
  find(id: string): Promise<OpenedDeadLetter | undefined>;
  /** Has it attempted anew, with its count of attempts at zero. @returns false when there is none */
  retry(id: string): Promise<boolean>;
  /** Goes on without it. @returns false when there is none */
  drop(id: string): Promise<boolean>;
}

/** A process's dead letters by kind, such as `event`. */
export type DeadLetters = Readonly<Record<string, DeadLetterSource>>;

const REASON_CHARACTERS = 1_000;

/** Why an attempt failed, at a length that a list can show. */
export function reasonOf(error: unknown): string {
  const said = errorText(error);
  const isOfDatabase = typeof error === 'object' && error !== null && 'code' in error;
  const text = isOfDatabase ? withoutStatement(said) : said;
  return text.length > REASON_CHARACTERS ? `${text.slice(0, REASON_CHARACTERS)}…` : text;
}

/** Several sources of one kind as one; an id belongs to the first source that has it. */
export function joined(sources: readonly DeadLetterSource[]): DeadLetterSource {
  const first = async (act: (source: DeadLetterSource) => Promise<boolean>): Promise<boolean> => {
    for (const source of sources) if (await act(source)) return true;
    return false;
  };
  return {
    async list(limit) {
      const all = await Promise.all(sources.map((source) => source.list(limit)));
      return all
        .flat()
        .sort((left, right) => left.since - right.since)
        .slice(0, limit);
    },
    async count() {
      const counts = await Promise.all(sources.map((source) => source.count()));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    async find(id) {
      for (const source of sources) {
        const found = await source.find(id);
        if (found) return found;
      }
      return undefined;
    },
    retry: (id) => first((source) => source.retry(id)),
    drop: (id) => first((source) => source.drop(id)),
  };
}
