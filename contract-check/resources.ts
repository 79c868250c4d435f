/** Closes what was opened, newest first, also when closing one of them fails. */
export interface Resources {
  /** Keeps a resource for closing; gives it back. */
  keep<T>(resource: T, close: (resource: T) => Promise<void>): T;
  close(): Promise<void>;
}

export function createResources(): Resources {
  const closers: (() => Promise<void>)[] = [];
  return {
    keep(resource, close) {
      closers.unshift(() => close(resource));
      return resource;
    },
    async close() {
      const failures: unknown[] = [];
      for (const close of closers.splice(0)) await close().catch((error) => failures.push(error));
      if (failures.length > 0) throw new AggregateError(failures, 'could not close everything');
    },
  };
}
