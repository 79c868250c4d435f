/** What operators may see and ask. */
export { buildAdmin } from './admin.ts';
export type { AuditList } from './admin.ts';
export type { LetterList } from './application-letters.ts';
export { createAdminServer } from './admin-server.ts';
export { Events } from './events.ts';
export type { ConsoleState } from './events.ts';
export type { Explanation } from '../route/index.ts';
export type { Traffic, TrafficCount } from './traffic.ts';
export type { TrafficSample } from './traffic-history.ts';
export type {
  BreakerStatus,
  GatewayTrouble,
  InstanceFacts,
  CapabilityStatus,
  Facts,
  Readiness,
  Status,
  UpstreamReach,
} from './facts.ts';
export { LocalFacts, mergedMetrics } from './local-facts.ts';
export { readDesiredStates } from './desired-states.ts';
