import { createFenceGuard } from '../../chassis/index.ts';

/** Nothing is written here before the fence has been opened: the data belongs elsewhere till then. */
export const paymentGuard = createFenceGuard({ capability: 'payment', whenAbsent: 'closed' });
