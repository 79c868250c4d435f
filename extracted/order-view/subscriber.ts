import type { EventSubscriber } from '../../chassis/index.ts';
import { SUBSCRIPTIONS } from '../../contracts/index.ts';
import { generations } from './generations.ts';
import { project } from './projection.ts';

/** Keeps the order view as events say that orders are. */
export function createOrderView(): EventSubscriber {
  return {
    name: 'order-view',
    types: SUBSCRIPTIONS['order-view'],
    async handle(trx, event) {
      for (const generation of await generations(trx)) await project(trx, generation, event);
    },
  };
}
