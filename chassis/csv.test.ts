import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cell, readCsv } from './csv.ts';

const columns = { sku: cell.text, price: cell.money, on_hand: cell.whole(0) };
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fig-csv-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function read(content: string | Buffer) {
  const file = join(directory, 'products.csv');
  await writeFile(file, content);
  return readCsv(file, columns);
}

describe('a CSV file', () => {
  it('is read in whatever order its columns stand, with quotes and line breaks', async () => {
    const rows = await read('\uFEFFprice,sku,on_hand\r\n18.05,"a ""b"", c",3\r\n1.00,"x\ny",0\r\n');
    expect(rows.map(({ values }) => values)).toEqual([
      { sku: 'a "b", c', price: 1805, on_hand: 3 },
      { sku: 'x\ny', price: 100, on_hand: 0 },
    ]);
  });

  it.each([
    [
      'sku,price,on_hand\nA,1.00,2\nB,1.5,2\n',
      /products\.csv:3: column price: "1\.5" is not an amount/,
    ],
    ['sku,price,on_hand\nA,1.00,-2\n', /:2: column on_hand: "-2" is not a whole number/],
    ['sku,price,on_hand\n ,1.00,2\n', /:2: column sku: is empty/],
    ['sku,price,on_hand\nA,1.00\n', /:2: has 2 cells, not 3/],
    ['sku,price\nA,1.00\n', /:1: column on_hand: is missing/],
    ['sku,price,on_hand,colour\nA,1.00,1,red\n', /:1: column colour: is not known/],
    ['sku,price,on_hand,sku\nA,1.00,1,A\n', /:1: column sku: is there twice/],
    ['sku,price,on_hand\nA,"1.00,2\n', /products\.csv:\d: Quote Not Closed/],
    ['', /:1: column sku: is missing/],
  ])('names file, line and column of damage in %j', async (content, message) => {
    await expect(read(content)).rejects.toThrow(message);
  });

  it('names the line that is not UTF-8', async () => {
    const content = Buffer.concat([Buffer.from('sku,price,on_hand\nA'), Buffer.from([0xff, 0x0a])]);
    await expect(read(content)).rejects.toThrow(/:2: is not UTF-8/);
  });

  it('says when it is missing', async () => {
    await expect(readCsv(join(directory, 'none.csv'), columns)).rejects.toThrow(/no such file/);
  });
});
