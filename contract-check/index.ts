/** Holds the monolith and the services to one contract: who is compared, and what they are given. */
export { contractCommand } from './command.ts';
export { runOn } from './compare-sides.ts';
export { createResources } from './resources.ts';
export type { Resources } from './resources.ts';
export {
  inventoryTarget,
  monolithTarget,
  openInventory,
  openMonolith,
  openPayment,
  paymentTarget,
  PROVIDER_TIMES,
  serve,
  SIDES,
} from './targets.ts';
export type { Capability, MakeTarget, Opened } from './targets.ts';
export { writeWorld } from './world-files.ts';
