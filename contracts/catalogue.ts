import { z } from 'zod';
import { Money } from './money.ts';
import { pageOf } from './page.ts';
import { Sku } from './primitives.ts';
import { named } from './registry.ts';

export const Product = named(
  'Product',
  z.strictObject({ sku: Sku, name: z.string(), price: Money }),
);
export type Product = z.infer<typeof Product>;

export const ProductPage = pageOf('ProductPage', Product);
export type ProductPage = z.infer<typeof ProductPage>;
