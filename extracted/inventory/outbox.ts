import { createOutbox } from '../../chassis/index.ts';
import { subscribersOf } from '../../contracts/index.ts';

/** What happens to stock while this service owns it. */
export const outbox = createOutbox(subscribersOf);
