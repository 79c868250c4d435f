import { createOutbox } from '../../chassis/index.ts';
import { subscribersOf } from '../../contracts/index.ts';

/** What happens to payments while this service owns them. */
export const outbox = createOutbox(subscribersOf);
