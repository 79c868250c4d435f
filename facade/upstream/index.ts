/** Servers behind the facade: connections, requests to them, whole answers. */
export { clientShare } from './client-share.ts';
export { NoRoom } from './connections.ts';
export type { Idling } from './exchange.ts';
export { TooLarge, fetchWhole } from './fetch-whole.ts';
export type { Repeatable, WholeListener } from './fetch-whole.ts';
export { joined } from './joined.ts';
export { headerOf } from './observation.ts';
export type { Observation } from './observation.ts';
export { Slots } from './slots.ts';
export type { Sender, Upstream } from './upstream.ts';
export { Upstreams } from './upstreams.ts';
export { proxyWebSocket } from './websocket-proxy.ts';
export type { UpgradeExchange } from './websocket-proxy.ts';
