import type { Guard, RequestContext } from '../forward/index.ts';

interface Next {
  /** Carries the admitted request out. */
  proceed(context: RequestContext): void;
  /** Answers the request with what a guard has thrown. */
  refuse(error: unknown): void;
}

/**
 * Takes a request through the guards, in their order, and calls `proceed` after the last. As long as no
 * guard has to ask another server, it does so before it returns.
 */
export function admit(
  context: RequestContext,
  guards: readonly Guard[],
  { proceed, refuse }: Next,
): void {
  const passFrom = (first: number): void => {
    for (let index = first; index < guards.length; index += 1) {
      const asked = guards[index]?.(context);
      if (asked) {
        asked.then(() => context.over || passFrom(index + 1)).catch(refuse);
        return;
      }
    }
    proceed(context);
  };
  passFrom(0);
}
