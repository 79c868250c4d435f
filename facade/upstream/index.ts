/** Servers behind the facade: connections, requests to them, whole answers. */
export { NoRoom } from './connections.ts';
export { DnsDiscovery } from './dns-discovery.ts';
export { Discovery } from './discovery.ts';
export type { Idling } from './exchange.ts';
export { TooLarge, fetchWhole } from './fetch-whole.ts';
export type { Repeatable, WholeListener } from './fetch-whole.ts';
export { headerOf, joined } from './observation.ts';
export type { Observation } from './observation.ts';
export type { InstanceStatus } from './instances.ts';
export { Slots } from './slots.ts';
export { UpstreamIll } from './resilience.ts';
export type {
  Breaker,
  BreakerState,
  Resilience,
  Retries,
  Timeouts,
  Verdict,
} from './resilience.ts';
export type { Sender, Upstream } from './upstream.ts';
export { clientShare, Upstreams } from './upstreams.ts';
export { proxyWebSocket } from './websocket-proxy.ts';
export type { UpgradeExchange } from './websocket-proxy.ts';
