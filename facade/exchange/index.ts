/** Taking a request to a side, and its answer back. */
export { circumstancesOf } from './circumstances.ts';
export { ClientSockets, clientSocketLimit } from './client-sockets.ts';
export type { Core, Memory } from './core.ts';
export { Experiments } from './experiment.ts';
export type { Findings } from './findings.ts';
export { passOn } from './passing.ts';
export { requestTimeout } from './refusals.ts';
export { read } from './reading.ts';
export { Slots } from './slots.ts';
export { isLingering, linger } from './lingering.ts';
export { headWithoutUpgrade, refuseRaw, upgrade, wantsWebSocket } from './upgrades.ts';
export { Upstreams } from './upstreams.ts';
export { sendProblem, Visit } from './visit.ts';
export type { Limits, VisitResponse } from './visit.ts';
export { Writing } from './writing.ts';
