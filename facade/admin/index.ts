/** What operators may see and ask. */
export { buildAdmin } from './admin.ts';
export type {
  BreakerStatus,
  InstanceFacts,
  CapabilityStatus,
  Facts,
  Readiness,
  Status,
  UpstreamReach,
} from './facts.ts';
export { LocalFacts, mergedMetrics } from './local-facts.ts';
export { readDesiredStates } from './desired-states.ts';
