import type { SpanStart } from '../trace.ts';
import type { DomainEvent } from './event.ts';

/** The span of what is done with an event for one subscriber; each repetition shows. */
export function eventSpan(
  does: 'send' | 'process',
  subscriber: string,
  { id, type }: Pick<DomainEvent, 'id' | 'type'>,
): SpanStart {
  return {
    name: `${does} ${type} ${subscriber}`,
    kind: does === 'send' ? 'producer' : 'consumer',
    attributes: {
      'messaging.system': 'bullmq',
      'messaging.destination.name': subscriber,
      'messaging.message.id': id,
      'messaging.operation.type': does,
    },
  };
}
