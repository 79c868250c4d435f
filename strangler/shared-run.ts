/**
 * Lets everybody who asks while a piece of work is under way share its next run, so that asking often
 * costs no more than asking without a break. Nobody gets an answer that was begun before the question.
 * @param work reads something; its error reaches all who share the run
 */
export function sharedRun<T>(work: () => Promise<T>): () => Promise<T> {
  let current: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | undefined;
  return () => {
    next ??= current.then(() => {
      next = undefined;
      const run = work();
      current = run.catch(() => undefined);
      return run;
    });
    return next;
  };
}
