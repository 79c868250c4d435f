/** What a check has found. */
export type Finding =
  | { readonly verdict: 'passed'; readonly note: string | null }
  | { readonly verdict: 'failed'; readonly reason: string; readonly remedy: string }
  /** It was not tried: what it takes is missing. */
  | { readonly verdict: 'skipped'; readonly reason: string };

export function passed(note: string | null = null): Finding {
  return { verdict: 'passed', note };
}

/** @param remedy what the service has to do instead */
export function failed(reason: string, remedy: string): Finding {
  return { verdict: 'failed', reason, remedy };
}

export function skipped(reason: string): Finding {
  return { verdict: 'skipped', reason };
}
