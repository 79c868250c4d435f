export { loadShop } from './load-shop.ts';
export type { Loaded } from './load-shop.ts';
export { sampleShop } from './sample.ts';
export { readShopData } from './shop-data.ts';
