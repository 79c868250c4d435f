import { Time } from '../primitives.ts';
import type { Leaf } from './fields.ts';

/** A field of two answers to the same request, and what each side put there. */
export interface Pairing {
  readonly requestPath: string;
  readonly path: string;
  readonly old: Leaf;
  readonly new: Leaf;
  /** The same with every made-up name replaced by what it stands for. */
  readonly oldMeaning: Leaf;
  readonly newMeaning: Leaf;
}

/** Why two different values are no difference. Everything that is not listed is one. */
export interface Exception {
  readonly name: string;
  readonly reason: string;
  covers(pairing: Pairing): boolean;
}

const HOUR_MS = 3_600_000;
const TRACE = /^(00-)?[0-9a-f]{32}(-[0-9a-f]{16}-[0-9a-f]{2})?$/;

const both = (pairing: Pairing, test: (value: string) => boolean): boolean =>
  typeof pairing.old === 'string' &&
  typeof pairing.new === 'string' &&
  test(pairing.old) &&
  test(pairing.new);

export const EXCEPTIONS: readonly Exception[] = [
  {
    name: 'made-up names',
    reason:
      'each side makes up its ids, with them the cursors of lists in their order, and each run ' +
      'its order ids and keys; a name must stand for the same thing wherever it appears',
    covers: ({ oldMeaning, newMeaning }) => oldMeaning === newMeaning,
  },
  {
    name: 'times',
    reason: 'each side reads its own clock; both must be times of the same hour',
    covers: (pairing) =>
      pairing.path.endsWith('.createdAt') &&
      both(pairing, (time) => Time.safeParse(time).success) &&
      Math.abs(Date.parse(String(pairing.old)) - Date.parse(String(pairing.new))) < HOUR_MS,
  },
  {
    name: 'traces',
    reason: 'each request has a trace of its own; both must be well-formed',
    covers: (pairing) =>
      ['body.traceId', 'headers.traceparent'].includes(pairing.path) &&
      both(pairing, (trace) => TRACE.test(trace)),
  },
];
