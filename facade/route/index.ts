/** Where a request goes, and why: pure, so that it can be explained. */
export { route } from './route.ts';
export type {
  NotComparable,
  Progress,
  Refusal,
  Route,
  RoutedRequest,
  RoutingSnapshot,
} from './route.ts';
export { explain } from './explanation.ts';
export type { Asked, Explanation } from './explanation.ts';
