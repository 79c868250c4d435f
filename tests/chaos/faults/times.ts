/** What the configuration of the shop under faults says, and what is judged by it; in ms. */
export const TIMES = { requestMs: 3_000, firstByteMs: 500, openMs: 500 } as const;
