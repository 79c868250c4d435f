import { z } from 'zod';
import { named } from './registry.ts';

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const ID_RULE = '1 to 64 letters, digits, dots, dashes or underscores, a letter or digit first';

/** Whatever names a thing: an order, a customer, a payment, a reservation. */
export const Id = z
  .string({ error: `must be a text of ${ID_RULE}` })
  .regex(ID, { error: `must be ${ID_RULE}` });
export type Id = z.infer<typeof Id>;

/** What a path carries exactly: no control or format character, no backslash, no blank at an end. */
const SKU = /^(?!\s)[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\\]{1,64}(?<!\s)$/u;
/** Servers resolve these, also where the slash is encoded. */
const DOTS = /(?:^|\/)\.{1,2}(?:[/;]|$)/;
const SKU_RULE =
  '1 to 64 visible characters, blanks only inside, no backslash, and no part `.` or `..`';

/** A stock keeping unit: one article of the catalogue, as the shop writes it (`TL 100/2`). */
export const Sku = z
  .string({ error: `must be a text of ${SKU_RULE}` })
  .regex(SKU, { error: `must be ${SKU_RULE}` })
  .refine((sku) => !DOTS.test(sku), { error: `must be ${SKU_RULE}` });
export type Sku = z.infer<typeof Sku>;

/** The byte order of SKUs, whatever order a database sorts texts in. */
export function bySku(left: { readonly sku: string }, right: { readonly sku: string }): number {
  return Buffer.compare(Buffer.from(left.sku), Buffer.from(right.sku));
}

export const MAX_QUANTITY = 1_000_000;

/** How many pieces of one SKU. */
export const Quantity = z
  .int({ error: `must be a whole number from 1 to ${MAX_QUANTITY}` })
  .min(1, { error: `must be 1 or more` })
  .max(MAX_QUANTITY, { error: `must be ${MAX_QUANTITY} or less` });
export type Quantity = z.infer<typeof Quantity>;

/** A count in an answer: never negative. */
export const Count = z.int().min(0);

/** UTC, with milliseconds: `2026-01-31T12:00:00.000Z`. */
export const Time = z.iso.datetime({ precision: 3 });
export type Time = z.infer<typeof Time>;

/** One SKU and how many of it, in an order or a reservation. */
export const Line = named('Line', z.strictObject({ sku: Sku, quantity: Quantity }));
export type Line = z.infer<typeof Line>;

/** A wholesaler's invoice has hundreds of lines. */
export const MAX_LINES = 2_000;

/** The lines of one order or reservation; each SKU once. */
export const Lines = z
  .array(Line, { error: `must be a list of 1 to ${MAX_LINES} lines, each { sku, quantity }` })
  .min(1, { error: 'must hold at least one line' })
  .max(MAX_LINES, { error: `must hold at most ${MAX_LINES} lines` })
  .superRefine((lines, context) => {
    const seen = new Set<string>();
    for (const [index, { sku }] of lines.entries()) {
      if (seen.has(sku)) {
        context.addIssue({
          code: 'custom',
          path: [index, 'sku'],
          message: 'is in another line already; add the two quantities up in one line',
        });
      }
      seen.add(sku);
    }
  });
