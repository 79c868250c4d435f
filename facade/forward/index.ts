/** Carries a request out on its route: reads, writes, requests that pass, upgrades. */
export type { AnswerFilter, WholeAnswer } from './answer-filter.ts';
export { isKept, readBody } from './body.ts';
export { ClientSockets, clientSocketLimit } from './client-sockets.ts';
export { snapshotOf } from './facade-deps.ts';
export type { ConfiguredDeps, FacadeDeps, Guard, Handler, IssuerTrouble } from './facade-deps.ts';
export { failInFacade, forward } from './forward.ts';
export { isLingering, linger } from './lingering.ts';
export { facadeFailed, requestTimeout } from './refusals.ts';
export { RequestContext, sendProblem } from './request-context.ts';
export type { TrackedResponse } from './request-context.ts';
export { headWithoutUpgrade, refuseRaw, upgrade, wantsWebSocket } from './upgrades.ts';
