import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CsvError, FencedError } from '../../chassis/index.ts';
import type { Database } from '../../chassis/index.ts';
import { monolithMigrations } from '../../migrations/monolith/index.ts';
import { setFence, temporaryDatabase, withTempDir } from '../../tests/support/index.ts';
import { inventoryGuard } from '../inventory/index.ts';
import { loadShop, readShopData, sampleShop } from './index.ts';

const PRODUCTS = `sku,name,unit_price,currency,on_hand\nP-1,"Tea, green",18.00,USD,7\n`;
const CUSTOMERS = `customer_id,name,country\nANTON,Antonio Moreno Taquería,Mexico\n`;

function read(products: string | Buffer, customers: string = CUSTOMERS) {
  return withTempDir(async (directory) => {
    await writeFile(join(directory, 'products.csv'), products);
    await writeFile(join(directory, 'customers.csv'), customers);
    return readShopData(directory);
  });
}

describe('reading a shop’s files', () => {
  it('takes RFC 4180 and UTF-8', async () => {
    expect(await read(PRODUCTS)).toEqual({
      products: [{ sku: 'P-1', name: 'Tea, green', unit_price: 1800, currency: 'USD', on_hand: 7 }],
      customers: [{ customer_id: 'ANTON', name: 'Antonio Moreno Taquería', country: 'Mexico' }],
    });
  });

  it.each([
    ['a fraction in stock', 'P-2,Cup,1.00,USD,1.5', /products\.csv:3: column on_hand/],
    ['less than nothing in stock', 'P-2,Cup,1.00,USD,-1', /products\.csv:3: column on_hand/],
    ['a price with a comma', 'P-2,Cup,"1,00",USD,1', /products\.csv:3: column unit_price/],
    ['a price beyond counting', 'P-2,Cup,99999999.00,USD,1', /products\.csv:3: column unit_price/],
    ['a strange currency', 'P-2,Cup,1.00,XXX,1', /products\.csv:3: column currency/],
    ['a SKU with a blank at its end', 'P 2 ,Cup,1.00,USD,1', /products\.csv:3: column sku/],
    ['the same SKU twice', 'P-1,Cup,1.00,USD,1', /products\.csv:3: column sku.*line 2 already/],
    ['no name', 'P-2,,1.00,USD,1', /products\.csv:3: column name/],
    ['a missing cell', 'P-2,Cup,1.00,USD', /products\.csv:3/],
    ['an open quote', 'P-2,"Cup,1.00,USD,1', /products\.csv:3/],
  ])('names file, line and column: %s', async (_case, row, place) => {
    await expect(read(`${PRODUCTS}${row}\n`)).rejects.toThrow(place);
  });

  it('names what is wrong with the customers too', async () => {
    await expect(read(PRODUCTS, `${CUSTOMERS}BONAP,,France\n`)).rejects.toThrow(
      /customers\.csv:3: column name/,
    );
    await expect(read(PRODUCTS, 'customer_id,name\n')).rejects.toThrow(
      /column country: is missing/,
    );
  });

  it('names the line that is not UTF-8', async () => {
    const damaged = Buffer.concat([Buffer.from(PRODUCTS), Buffer.from([0xff, 0x0a])]);
    await expect(read(damaged)).rejects.toThrow(/products\.csv:3: is not UTF-8/);
    await expect(read(damaged)).rejects.toBeInstanceOf(CsvError);
  });
});

describe('loading a shop', () => {
  let database: Database;
  const stock = () => database.read('INV_STOCK').orderBy('SKU_CD').select('SKU_CD', 'QTY_OH');

  beforeEach(async () => {
    database = await temporaryDatabase(monolithMigrations);
  });

  afterEach(async () => {
    await database.close();
  });

  it('does not put back what was sold since an earlier load', async () => {
    const shop = sampleShop(7);
    expect(sampleShop(7)).toEqual(shop);
    expect(await loadShop(database, inventoryGuard, shop)).toMatchObject({
      stocked: 20,
      stockKept: 0,
    });
    await database.transaction(async (trx) => {
      await trx('INV_STOCK').update({ QTY_OH: 1 });
    });
    const before = await stock();
    const more = await read(PRODUCTS);
    const both = { ...more, products: [...shop.products, ...more.products] };
    expect(await loadShop(database, inventoryGuard, both)).toMatchObject({
      stocked: 1,
      stockKept: 20,
    });
    expect(await stock()).toEqual([{ SKU_CD: 'P-1', QTY_OH: 7 }, ...before]);
  });

  it('loads nothing where inventory is not owned', async () => {
    await setFence(database, 'inventory', 'ceded', 2);
    await expect(loadShop(database, inventoryGuard, sampleShop())).rejects.toThrow(FencedError);
    expect(await database.read('CAT_PROD')).toEqual([]);
    expect(await stock()).toEqual([]);
  });
});
