import { expect, it } from '@jest/globals';
import { cascade } from '../mapping/index.ts';
import type { Mapping, PairSide } from '../mapping/index.ts';
import { defineConfig } from '../../routing/index.ts';
import { declarationsOf } from './declarations.ts';
import { oneTable } from '../../tests/strangler/support/one-table.ts';

function moving(table: string, references: PairSide['references'] = {}): Mapping {
  return oneTable({ capability: `${table}s`, table, references });
}

function declare(items: Mapping, linesIn: string): unknown {
  const capability = (mapping: Mapping, legacy: string): object => ({
    legacy: 'old',
    extracted: 'next',
    routes: [`/${mapping.capability}`],
    databases: { legacy, extracted: `file:${mapping.capability}` },
    mapping,
  });
  const config = defineConfig({
    upstreams: { old: 'http://127.0.0.1:1', next: 'http://127.0.0.1:2' },
    monolith: 'old',
    capabilities: {
      items: capability(items, 'file:a'),
      lines: capability(moving('line'), linesIn),
    } as never,
  });
  return declarationsOf(config, 'contract.json');
}

it('refuses to carry out a cascade into a table that another capability moves', () => {
  const items = moving('item', { 'line(item)': cascade });
  expect(() => declare(items, 'file:a')).toThrow(
    "items can't carry out 'line(item)': line moves with lines; move both tables with one capability",
  );
  expect(declare(items, 'file:b')).toHaveProperty('items');
  expect(declare(moving('item', { 'line(item)': 'a reason' }), 'file:a')).toHaveProperty('lines');
});
