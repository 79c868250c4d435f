import { errorText } from '../../chassis/index.ts';
import type { SqlValue } from '../mapping/index.ts';

/** What became of a value on its way; the reason, where it got no further. */
export type Step =
  { readonly ok: true; readonly value: SqlValue } | { readonly ok: false; readonly reason: string };

/** Does what may go wrong with a value. */
export function attempt(work: () => SqlValue): Step {
  try {
    return { ok: true, value: work() };
  } catch (error) {
    return { ok: false, reason: errorText(error) };
  }
}
