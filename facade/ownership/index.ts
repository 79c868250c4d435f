/** Who owns what, as far as this facade knows, and whose own writes are under way. */
export { Barriers } from './barriers.ts';
export { Door } from './door.ts';
export { FenceSurvey } from './fence-survey.ts';
export type { Cohort } from './keys-apart.ts';
export type { Ownership } from './ownership.ts';
export { NO_PEERS } from './peers.ts';
export type { Peers } from './peers.ts';
export { RememberedFlags } from './remembered-flags.ts';
export { RoutingBook } from './routing-book.ts';
export { RoutingFeed } from './routing-feed.ts';
export { WriteNotes } from './write-notes.ts';
