import { createOutbox } from '../chassis/index.ts';
import { subscribersOf } from '../contracts/index.ts';

/** What happens here, to be told to those who want to know: of all modules, in the order in which it happened. */
export const outbox = createOutbox(subscribersOf);
