import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { OPERATIONS, PROBLEMS, problemsOf } from '../../contracts/index.ts';

/** Whatever can answer a client of the contract; the provider has clients of its own. */
const FOLDERS = [
  'chassis',
  'extracted/inventory',
  'extracted/notification',
  'extracted/order-view',
  'extracted/payment',
  'facade',
  'monolith',
];
const MADE = /new Problem\(\s*(\d{3}),\s*'(\w+)'/g;

function sources(folder: string): string[] {
  return (
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      // What the facade's workers know together is told on the admin port, to operators.
      .filter((name) => folder !== 'facade' || !/^(workers|admin)\//.test(name))
      .map((name) => join(folder, name))
  );
}

describe('every problem that a server makes', () => {
  const made = FOLDERS.flatMap(sources).flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(MADE)].map(([, status, code = '']) => ({
      file,
      code,
      status: Number(status),
    })),
  );

  it('is one of the contract, with the status that it has there', () => {
    const known: Readonly<Record<string, { status: number }>> = PROBLEMS;
    expect(made.length).toBeGreaterThan(20);
    expect(made.filter(({ code, status }) => known[code]?.status !== status)).toEqual([]);
  });
});

describe('every problem of the contract', () => {
  it('is one that an operation names, unless it belongs to no operation', () => {
    const named = new Set(OPERATIONS.flatMap((operation) => problemsOf(operation)));
    const unnamed = Object.keys(PROBLEMS).filter((code) => !named.has(code as 'fenced'));
    expect(unnamed).toEqual([
      'no_such_route',
      'method_not_allowed',
      'invalid_upgrade',
      // Of a path that several operations answer together.
      'composition_failed',
      // Of versions other than the one that all servers speak.
      'unknown_version',
      'precondition_failed',
      'translation_failed',
      'too_many_upgrades',
    ]);
  });
});
