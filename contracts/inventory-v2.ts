import { z } from 'zod';
import { Adjustment } from './inventory.ts';
import { OPERATIONS } from './operations.ts';
import type { Operation } from './operations.ts';
import { pageOf } from './page.ts';
import { Count, Sku } from './primitives.ts';
import { named } from './registry.ts';

/**
 * Stock as the inventory service keeps it: what was counted, and what of it is promised, are two things with
 * a life of their own. `available` is what can still be reserved.
 */
export const StockLevelV2 = named(
  'StockLevelV2',
  z.strictObject({
    sku: Sku,
    level: z.strictObject({ onHand: Count }),
    hold: z.strictObject({ reserved: Count }),
    available: Count,
  }),
);
export type StockLevelV2 = z.infer<typeof StockLevelV2>;

export const StockLevelPageV2 = pageOf('StockLevelPageV2', StockLevelV2);
export type StockLevelPageV2 = z.infer<typeof StockLevelPageV2>;

export const AdjustmentV2 = named('AdjustmentV2', Adjustment.extend({ stock: StockLevelV2 }));
export type AdjustmentV2 = z.infer<typeof AdjustmentV2>;

const ANSWERS: Readonly<Record<string, z.ZodType>> = {
  listInventory: StockLevelPageV2,
  getInventory: StockLevelV2,
  adjustInventory: AdjustmentV2,
};

/** Version 2 of the contract: inventory alone, with the same requests, refusals and access as in version 1. */
export const OPERATIONS_V2: readonly Operation[] = OPERATIONS.filter(
  ({ area }) => area === 'inventory',
).map((operation) => {
  const schema = ANSWERS[operation.id];
  return schema ? { ...operation, answer: { ...operation.answer, schema } } : operation;
});
