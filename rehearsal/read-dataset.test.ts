import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { writeImport } from './csv.ts';
import { generateDataset } from './generate.ts';
import { readDataset } from './read-dataset.ts';

const HEADER = 'order_id,customer_id,ordered_at,sku,quantity\n';
const dataset = generateDataset(2, { products: 3, customers: 2, orders: 0 });
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'fig-dataset-'));
  await writeImport(dataset, directory);
});
afterEach(() => rm(directory, { recursive: true }));

async function read(lines: string) {
  await writeFile(join(directory, 'order_lines.csv'), `${HEADER}${lines}`);
  return readDataset(directory);
}

describe('a folder of orders', () => {
  it('is read as orders, with the lines of one SKU summed', async () => {
    const { products, customers, orders } = await read(
      '7,C001,1996-07-04T00:00:00Z,FIG-001,2\n' +
        '7,C001,1996-07-04T00:00:00Z,FIG-002,1\n' +
        '7,C001,1996-07-04T00:00:00Z,FIG-001,3\n' +
        '8,C002,1996-07-05T00:00:00Z,FIG-003,4\n',
    );
    expect({ products, customers }).toEqual({
      products: dataset.products,
      customers: dataset.customers,
    });
    expect(orders.map(({ number, customerId, items }) => ({ number, customerId, items }))).toEqual([
      {
        number: '7',
        customerId: 'C001',
        items: [
          { sku: 'FIG-001', quantity: 5 },
          { sku: 'FIG-002', quantity: 1 },
        ],
      },
      { number: '8', customerId: 'C002', items: [{ sku: 'FIG-003', quantity: 4 }] },
    ]);
  });

  it.each([
    [
      '7,C001,1996-07-04T00:00:00Z,FIG-009,2\n',
      /order_lines\.csv:2: column sku: "FIG-009" is in no/,
    ],
    ['7,C009,1996-07-04T00:00:00Z,FIG-001,2\n', /order_lines\.csv:2: column customer_id: "C009"/],
    ['7,C001,1996-07-04T00:00:00Z,FIG-001,0\n', /order_lines\.csv:2: column quantity: "0" is not/],
    ['7,C001,yesterday,FIG-001,1\n', /order_lines\.csv:2: column ordered_at: "yesterday" is not/],
  ])('names the place of damage in %j', async (lines, message) => {
    await expect(read(lines)).rejects.toThrow(message);
  });
});
