import { EVENTS, SUBSCRIPTIONS } from './events.ts';
import type { EventType } from './events.ts';
import { componentsOf, reference } from './schema-components.ts';

type Json = Record<string, unknown>;

/** What all events have in common: CloudEvents 1.0 in structured JSON, with our extensions. */
function envelope(type: EventType): Json {
  const { source, version, data, subject } = EVENTS[type];
  const text = { type: 'string' };
  return {
    type: 'object',
    required: [
      'specversion',
      'id',
      'source',
      'type',
      'subject',
      'time',
      'datacontenttype',
      'dataschema',
      'dataversion',
      'epoch',
      'sequence',
      'data',
    ],
    properties: {
      specversion: { const: '1.0' },
      id: { ...text, format: 'uuid' },
      source: { const: source },
      type: { const: type },
      subject: { ...text, description: `The id of ${subject}.` },
      time: { ...text, format: 'date-time' },
      datacontenttype: { const: 'application/json' },
      dataschema: { const: `urn:shop:event:${type}:${version}` },
      dataversion: { const: version },
      traceparent: { ...text, description: 'W3C trace context of the request that caused it.' },
      epoch: {
        type: 'integer',
        minimum: 0,
        description: 'Of the fence behind which it was written; 0 where nothing moves.',
      },
      sequence: {
        ...text,
        pattern: '^[0-9]{16}$',
        description:
          'Its place in its outbox. Events of one source and subject are in the order of (epoch, sequence).',
      },
      data: reference(data),
    },
  };
}

const typesOf = (subscriber: keyof typeof SUBSCRIPTIONS): readonly EventType[] =>
  SUBSCRIPTIONS[subscriber];

/** The events as an AsyncAPI 3.0 document: a channel for each subscriber's queue. */
export function asyncApiDocument(): Json {
  const types = Object.keys(EVENTS) as EventType[];
  const subscribers = Object.keys(SUBSCRIPTIONS) as (keyof typeof SUBSCRIPTIONS)[];
  const messages = Object.fromEntries(
    types.map((type) => [
      type,
      {
        name: type,
        summary: EVENTS[type].summary,
        contentType: 'application/cloudevents+json',
        payload: envelope(type),
      },
    ]),
  );
  const channels = Object.fromEntries(
    subscribers.map((subscriber) => [
      subscriber,
      {
        address: `events.${subscriber}`,
        description: `The BullMQ queue of ${subscriber}. A job is { "sealed": "PROOF EVENT" }.`,
        messages: Object.fromEntries(
          typesOf(subscriber).map((type) => [type, { $ref: `#/components/messages/${type}` }]),
        ),
      },
    ]),
  );
  const operations = Object.fromEntries(
    subscribers.map((subscriber) => [
      subscriber,
      { action: 'receive', channel: { $ref: `#/channels/${subscriber}` } },
    ]),
  );
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Orders',
      version: '1.0.0',
      description:
        'What happens to orders, stock and payments. Delivery is at least once; each subscriber takes each event into ' +
        'effect once, and those of one source and subject in the order of (epoch, sequence).',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/cloudevents+json',
    channels,
    operations,
    components: { messages, schemas: componentsOf(messages) },
  };
}
