import type { CustomerRecord, ProductRecord, ShopData } from './shop-data.ts';

const PRODUCTS = [
  'Anchor Chain',
  'Bilge Pump',
  'Binnacle Compass',
  'Boat Hook',
  'Brass Bell',
  'Canvas Bucket',
  'Chart Table Lamp',
  'Copper Kettle',
  'Deck Brush',
  'Fender',
  'Foghorn',
  'Folding Ladder',
  'Galley Stove',
  'Hemp Rope',
  'Marine Varnish',
  'Oilskin Coat',
  'Rigging Knife',
  'Sea Anchor',
  'Signal Flags',
  'Storm Lantern',
];

const CUSTOMERS = [
  ['ARENDAL', 'Arendal Yachts', 'Norway'],
  ['BREST', 'Chantiers de Brest', 'France'],
  ['CORK', 'Cork Harbour Supplies', 'Ireland'],
  ['DELFT', 'Delftse Zeilmakerij', 'Netherlands'],
  ['EMDEN', 'Emder Bootsbau', 'Germany'],
  ['FALMOUTH', 'Falmouth Chandlery', 'United Kingdom'],
  ['GDANSK', 'Stocznia Gdańsk', 'Poland'],
  ['HELSINKI', 'Helsingin Venetarvike', 'Finland'],
  ['ISTANBUL', 'İstanbul Denizcilik', 'Türkiye'],
  ['KALMAR', 'Kalmar Båtvarv', 'Sweden'],
  ['LISBOA', 'Velas de Lisboa', 'Portugal'],
  ['NAXOS', 'Naxos Marine', 'Greece'],
] as const;

/** A small step of a linear congruential generator, after Knuth's MMIX constants cut to 32 bits. */
function nextSeed(seed: number): number {
  return (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
}

/**
 * A small shop, to try things out with. The same seed gives the same prices and stock.
 * @param seed a whole number
 */
export function sampleShop(seed = 1): ShopData {
  let state = seed >>> 0;
  const upTo = (count: number): number => {
    state = nextSeed(state);
    return Math.floor((state / 2 ** 32) * count);
  };
  const products = PRODUCTS.map((name, index): ProductRecord => {
    return {
      sku: `SHIP-${String(index + 1).padStart(3, '0')}`,
      name,
      unit_price: 195 + 5 * upTo(2_000),
      currency: 'USD',
      on_hand: 20 + upTo(180),
    };
  });
  const customers = CUSTOMERS.map(([customer_id, name, country]): CustomerRecord => {
    return { customer_id, name, country };
  });
  return { products, customers };
}
