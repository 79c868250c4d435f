/** What the admin port answers, or why it does not do what was asked. */
export type Answer<T> =
  { readonly ok: true; readonly body: T } | { readonly ok: false; readonly refusal: Refusal };

export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly reason: string;
  /** The command that mends it; null where there is nothing to do but to wait. */
  readonly next: string | null;
}

export function get<T>(path: string): Promise<Answer<T>> {
  return ask<T>(path, { headers: { accept: 'application/json' } });
}

/** @param reason why it is asked for, for the audit trail */
export function post<T>(path: string, body: object = {}, reason = ''): Promise<Answer<T>> {
  const headers = {
    accept: 'application/json',
    'content-type': 'application/json',
    ...(reason === '' ? {} : { 'fig-reason': encodeURIComponent(reason) }),
  };
  return ask<T>(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function ask<T>(path: string, init: RequestInit): Promise<Answer<T>> {
  try {
    const response = await fetch(path, init);
    const body: unknown = await response.json();
    return response.ok
      ? { ok: true, body: body as T }
      : { ok: false, refusal: refusalOf(response.status, body) };
  } catch (error) {
    const reason = `the facade does not answer: ${(error as Error).message}`;
    return { ok: false, refusal: { status: 0, code: 'facade_away', reason, next: 'npm start' } };
  }
}

function refusalOf(status: number, body: unknown): Refusal {
  const { code, detail, next } = (body ?? {}) as {
    readonly code?: string;
    readonly detail?: string;
    readonly next?: string | null;
  };
  if (status === 401) {
    const reason = 'this browser is not let in any more: open the console again';
    return { status, code: 'token_required', reason, next: 'fig open' };
  }
  return {
    status,
    code: code ?? `http_${status}`,
    reason: detail ?? `it answered ${status}`,
    next: next ?? null,
  };
}
