import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { asyncApiDocument, EVENTS, SUBSCRIPTIONS, subscribersOf } from './index.ts';

type Json = Record<string, Record<string, unknown>>;

function references(value: unknown): string[] {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, nested]) =>
    key === '$ref' ? [String(nested)] : references(nested),
  );
}

describe('the AsyncAPI document', () => {
  const document = asyncApiDocument();

  it('is committed as it is generated', () => {
    const committed = JSON.parse(readFileSync('contracts/asyncapi.json', 'utf8')) as unknown;
    expect(committed).toEqual(JSON.parse(JSON.stringify(document)));
  });

  it('refers only to what it holds', () => {
    for (const reference of references(document)) {
      const path = reference.replace('#/', '').split('/');
      const found = path.reduce<unknown>((part, name) => (part as Json)[name], document);
      expect([reference, found]).toEqual([reference, expect.anything()]);
    }
  });

  it('has a channel for each subscriber, with the events that it gets', () => {
    const { channels, components } = document as { channels: Json; components: Json };
    expect(Object.keys(channels)).toEqual(Object.keys(SUBSCRIPTIONS));
    expect(Object.keys(components['messages'] ?? {})).toEqual(Object.keys(EVENTS));
    for (const [name, { address, messages }] of Object.entries(channels)) {
      expect(address).toBe(`events.${name}`);
      for (const type of Object.keys(messages as object)) {
        expect(subscribersOf(type)).toContain(name);
      }
    }
  });
});
