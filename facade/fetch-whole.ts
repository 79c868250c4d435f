import type { Observation } from './compare.ts';
import type { RequestForm } from './request-form.ts';
import type { Upstream } from './upstream.ts';

const LARGEST = 1_000_000;

/**
 * Asks an upstream what a client has asked, and reads the whole answer.
 * @throws when it fails, is larger than 1 MB, or takes longer than `deadlineMs`
 */
export function fetchWhole(
  upstream: Upstream,
  { method, target, headers }: RequestForm,
  more: readonly string[],
  deadlineMs: number,
): Promise<Observation> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let bytes = 0;
    let abort: ((error: Error) => void) | undefined;
    let over = false;
    const settle = (act: () => void): void => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      act();
    };
    const fail = (error: Error): void => {
      settle(() => reject(error));
      abort?.(error);
    };
    const timer = setTimeout(() => fail(new Error(`no answer in ${deadlineMs} ms`)), deadlineMs);
    upstream.dispatch(method, target, [...headers, ...more], null, {
      get calledOff() {
        return over;
      },
      onConnect(callOff) {
        abort = callOff;
        if (over) callOff();
      },
      onHeaders(code) {
        status = code;
        return true;
      },
      onData(chunk) {
        bytes += chunk.length;
        if (bytes > LARGEST) fail(new Error(`an answer of more than ${LARGEST} bytes`));
        else chunks.push(chunk);
        return true;
      },
      onComplete: () => settle(() => resolve({ status, body: Buffer.concat(chunks) })),
      onError: fail,
    });
  });
}
