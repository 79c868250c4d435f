import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { OPERATIONS_V2 } from './inventory-v2.ts';
import { OPERATIONS } from './operations.ts';
import { openApiDocument } from './openapi.ts';

type Json = Record<string, unknown>;

const VERSIONS = [
  ['v1', 'contracts/openapi.json', OPERATIONS],
  ['v2', 'contracts/openapi.v2.json', OPERATIONS_V2],
] as const;

function references(value: unknown): string[] {
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, nested]) =>
    key === '$ref' ? [String(nested)] : references(nested),
  );
}

describe.each(VERSIONS)('the OpenAPI document of %s', (version, file, operations) => {
  const document = openApiDocument(version);

  it('is committed as it is generated', () => {
    const committed = JSON.parse(readFileSync(file, 'utf8')) as unknown;
    expect(committed).toEqual(JSON.parse(JSON.stringify(document)));
  });

  it('refers only to schemas that it holds', () => {
    const { schemas } = document['components'] as { schemas: Json };
    const names = new Set(Object.keys(schemas).map((name) => `#/components/schemas/${name}`));
    const used = references(document);
    expect(used.length).toBeGreaterThan(operations.length);
    expect(new Set(used)).toEqual(names);
  });

  it('describes every operation once, with an answer, its path parameters and a unique id', () => {
    const paths = document['paths'] as Record<string, Record<string, Json>>;
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    );
    expect(described).toHaveLength(operations.length);
    expect(new Set(described.map(({ operation }) => operation['operationId'])).size).toBe(
      operations.length,
    );
    for (const { path, operation } of described) {
      const inPath = (operation['parameters'] as { in: string; name: string }[])
        .filter((parameter) => parameter.in === 'path')
        .map(({ name }) => `{${name}}`);
      expect(path.match(/\{\w+\}/g) ?? []).toEqual(inPath);
      expect(Object.keys(operation['responses'] as Json)).toContain('500');
    }
  });
});
