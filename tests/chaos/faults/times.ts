/** What the configuration of the shop under faults says, and what is judged by it; in ms. */
export const TIMES = { requestMs: 3_000, firstByteMs: 500, openMs: 500 } as const;
/** Where nothing is to fail but for what is tried. */
export const PATIENT = { requestMs: 20_000, firstByteMs: 20_000, openMs: 3_000 } as const;

/** A path of which each client may send few requests, and one whose answers are kept. */
export const FEW = { path: '/api/inventory/SHIP-004/adjustments', requests: 20 } as const;
export const CACHED = { path: '/api/inventory/SHIP-003' } as const;
