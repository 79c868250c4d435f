import { describe, expect, it } from '@jest/globals';
import {
  AdjustmentV2,
  OPERATIONS_V2,
  StockLevelPageV2,
  StockLevelV2,
} from '../../contracts/index.ts';
import type { Adjustment, StockLevel } from '../../contracts/index.ts';
import { inventoryV2 } from './translation.ts';

const STOCK: StockLevel = { sku: 'TL 100/2', onHand: 7, reserved: 2, available: 5 };
const STOCK_V2 = { sku: 'TL 100/2', level: { onHand: 7 }, hold: { reserved: 2 }, available: 5 };
const MADE: Adjustment = {
  id: 'a-1',
  sku: 'TL 100/2',
  delta: 1,
  reason: 'count',
  createdAt: '2026-01-31T12:00:00.000Z',
  stock: STOCK,
};

function answerOf(path: string, method: 'GET' | 'POST', body: unknown, status = 200): unknown {
  const found = inventoryV2.find((each) => each.path === path && each.methods.includes(method));
  return found?.answer ? found.answer(body, status) : body;
}

describe('version 2 of inventory', () => {
  it('says what version 1 says, as its contract has it', () => {
    const list = { items: [STOCK], nextCursor: 'next' };
    const level = answerOf('/api/inventory/:sku', 'GET', STOCK);
    const page = answerOf('/api/inventory', 'GET', list);
    const made = answerOf('/api/inventory/:sku/adjustments', 'POST', MADE, 201);
    expect(StockLevelV2.parse(level)).toEqual(STOCK_V2);
    expect(StockLevelPageV2.parse(page)).toEqual({ items: [STOCK_V2], nextCursor: 'next' });
    expect(AdjustmentV2.parse(made)).toEqual({ ...MADE, stock: STOCK_V2 });
  });

  it('refuses in the words of version 1', () => {
    const problem = { code: 'not_found', status: 404 };
    expect(answerOf('/api/inventory/:sku', 'GET', problem, 404)).toBe(problem);
  });

  it('has a translation for each operation of its contract, and for no other', () => {
    const declared = inventoryV2.flatMap(({ path, methods }) =>
      methods.map((method) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`),
    );
    const contract = OPERATIONS_V2.map(({ method, path }) => `${method} ${path}`);
    expect(declared.sort()).toEqual(contract.sort());
  });
});
