import { HEADERS } from '../headers.ts';
import type { RawAnswer } from './answer.ts';
import type { CaseRun } from './run.ts';

/** Headers that are part of the contract; others, such as Date, are the transport's own. */
export const CONTRACT_HEADERS = [
  'content-type',
  'allow',
  'traceparent',
  HEADERS.retryAfter,
  HEADERS.replayed,
] as const;

/** What a field holds where an answer does not have it. */
export const ABSENT = '<absent>';

export type Leaf = string | number | boolean | null;

/** Every field of an answer that the contract speaks of, by its path. */
export function fieldsOf({ status, headers, body }: RawAnswer): ReadonlyMap<string, Leaf> {
  const fields = new Map<string, Leaf>([['status', status]]);
  for (const name of CONTRACT_HEADERS) {
    const value = headers[name];
    if (value !== undefined) fields.set(`headers.${name}`, value);
  }
  addLeaves(fields, 'body', body);
  return fields;
}

function addLeaves(fields: Map<string, Leaf>, path: string, value: unknown): void {
  if (value === undefined) return;
  if (value === null || typeof value !== 'object') {
    fields.set(path, value as Leaf);
    return;
  }
  const entries = Object.entries(value);
  if (entries.length === 0) fields.set(path, Array.isArray(value) ? '[]' : '{}');
  for (const [key, nested] of entries) {
    addLeaves(fields, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`, nested);
  }
}

const MADE_UP_ID = /\.(id|orderId|reservationId|paymentId|refundId)$/;
const LISTS_BY_MADE_UP_ID = /^\/api\/(payments|orders)\?/;

/** Whether the target made this field's value up: an id, or a cursor that holds one. */
function isMadeUp(requestPath: string, path: string): boolean {
  if (path === 'body.nextCursor') return LISTS_BY_MADE_UP_ID.test(requestPath);
  return MADE_UP_ID.test(path);
}

/**
 * Labels for every name of a run that another run spells differently: those that the case made up,
 * and those that the target did, numbered as they first appear.
 */
export function labelsOf({ exchanges, labels }: CaseRun): ReadonlyMap<string, string> {
  const all = new Map(labels);
  let generated = 0;
  for (const { path: requestPath, answer } of exchanges) {
    for (const [path, value] of fieldsOf(answer)) {
      if (typeof value !== 'string' || !isMadeUp(requestPath, path) || all.has(value)) continue;
      generated += 1;
      all.set(value, `made-up name ${generated}`);
    }
  }
  return all;
}

/** A text with every known name replaced by its label. */
export function relabel(text: string, labels: ReadonlyMap<string, string>): string {
  let result = text;
  for (const [name, label] of labels) {
    if (!result.includes(name)) continue;
    const escaped = name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
    result = result.replaceAll(
      new RegExp(`(?<![A-Za-z0-9_-])${escaped}(?![A-Za-z0-9_-])`, 'g'),
      `‹${label}›`,
    );
  }
  return result;
}
