import type { EventSubscriber } from '../../chassis/index.ts';
import { CustomerOfEvent, SUBSCRIPTIONS } from '../../contracts/index.ts';
import { addMessage } from './messages.ts';
import type { Template } from './templates.ts';

/**
 * Writes down what each customer is to be told about an order.
 * @param state `recorded` where no mail server is configured
 */
export function createNotifications(state: 'recorded' | 'waiting'): EventSubscriber {
  return {
    name: 'notification',
    types: SUBSCRIPTIONS.notification,
    async handle(trx, { id, type, data }) {
      const { orderId, customerId } = CustomerOfEvent.parse(data);
      await addMessage(trx, { id, orderId, customerId, template: type as Template }, state);
    },
  };
}
