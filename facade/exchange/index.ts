/** Taking a request to a side, and its answer back. */
export { snapshotOf } from './routing-snapshot.ts';
export { ClientSockets, clientSocketLimit } from './client-sockets.ts';
export type { FacadeDeps, FacadeState } from './facade-deps.ts';
export { Experiments } from './experiment.ts';
export type { Findings } from './findings.ts';
export { forwardPass } from './forward-pass.ts';
export { requestTimeout } from './refusals.ts';
export { forwardRead } from './forward-read.ts';
export { Slots } from './slots.ts';
export { isLingering, linger } from './lingering.ts';
export { headWithoutUpgrade, refuseRaw, upgrade, wantsWebSocket } from './upgrades.ts';
export { Upstreams } from './upstreams.ts';
export { sendProblem, RequestContext } from './request-context.ts';
export type { Limits, TrackedResponse } from './request-context.ts';
export { WriteForwarder } from './forward-write.ts';
