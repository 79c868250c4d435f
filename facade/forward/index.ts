/** Carries a route out: reads, writes, requests that pass, upgrades. */
export { ClientSockets, clientSocketLimit } from './client-sockets.ts';
export type { FacadeDeps, FacadeState } from './facade-deps.ts';
export { forwardPass } from './forward-pass.ts';
export { forwardRead } from './forward-read.ts';
export { WriteForwarder } from './forward-write.ts';
export { isLingering, linger } from './lingering.ts';
export { requestTimeout } from './refusals.ts';
export { RequestContext, sendProblem } from './request-context.ts';
export type { Limits, TrackedResponse } from './request-context.ts';
export { snapshotOf } from './routing-snapshot.ts';
export { headWithoutUpgrade, refuseRaw, upgrade, wantsWebSocket } from './upgrades.ts';
