import { createFenceGuard } from '../../chassis/index.ts';

/** A monolith that no migration has touched owns its payments. */
export const paymentGuard = createFenceGuard({ capability: 'payment', whenAbsent: 'open' });
