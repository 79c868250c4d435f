import { z } from 'zod';
import { pageOf } from './page.ts';
import { Count, Id, Line, Lines, MAX_QUANTITY, Sku, Time } from './primitives.ts';
import { named } from './registry.ts';

/** `available` is what can still be reserved: `onHand` less `reserved`. */
export const StockLevel = named(
  'StockLevel',
  z.strictObject({ sku: Sku, onHand: Count, reserved: Count, available: Count }),
);
export type StockLevel = z.infer<typeof StockLevel>;

export const StockLevelPage = pageOf('StockLevelPage', StockLevel);
export type StockLevelPage = z.infer<typeof StockLevelPage>;

const DELTA_RULE = `must be a whole number from -${MAX_QUANTITY} to ${MAX_QUANTITY}, not 0`;

export const AdjustmentRequest = named(
  'AdjustmentRequest',
  z.strictObject({
    delta: z
      .int({ error: DELTA_RULE })
      .min(-MAX_QUANTITY, { error: DELTA_RULE })
      .max(MAX_QUANTITY, { error: DELTA_RULE })
      .refine((delta) => delta !== 0, { error: DELTA_RULE }),
    reason: z
      .string({ error: 'must be a text of 1 to 200 characters' })
      .min(1, { error: 'must say why, in 1 to 200 characters' })
      .max(200, { error: 'must be at most 200 characters long' }),
  }),
);
export type AdjustmentRequest = z.infer<typeof AdjustmentRequest>;

/** A change of stock that was made, and the stock right after it. */
export const Adjustment = named(
  'Adjustment',
  z.strictObject({
    id: Id,
    sku: Sku,
    delta: z.int(),
    reason: z.string(),
    createdAt: Time,
    stock: StockLevel,
  }),
);
export type Adjustment = z.infer<typeof Adjustment>;

export const ReservationRequest = named(
  'ReservationRequest',
  z.strictObject({ orderId: Id, items: Lines }),
);
export type ReservationRequest = z.infer<typeof ReservationRequest>;

export const RESERVATION_STATUSES = ['active', 'committed', 'released'] as const;
export const ReservationStatus = z.enum(RESERVATION_STATUSES);
export type ReservationStatus = z.infer<typeof ReservationStatus>;

/** `items` are in the SKUs' byte order, whatever order they were asked for in. */
export const Reservation = named(
  'Reservation',
  z.strictObject({
    id: Id,
    orderId: Id,
    status: ReservationStatus,
    items: z.array(Line),
    createdAt: Time,
  }),
);
export type Reservation = z.infer<typeof Reservation>;
