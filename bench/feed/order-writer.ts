import Database from 'better-sqlite3';
import { setTimeout as delay } from 'node:timers/promises';
import { onceUnlocked } from '../../chassis/index.ts';

/**
 * A process of its own that writes as the monolith does, a few rows in each transaction, waiting for
 * the lock and for the disk as it does. Arguments: its file, writes a second (0: as fast as it can), and for
 * how long, in ms. Prints how long each write took, in ms.
 */
const [, , file = '', rate = '200', forMs = '4000'] = process.argv;
const own = new Database(file, { timeout: 0 });
own.pragma('synchronous = FULL');
const header = own.prepare('INSERT INTO orders (customer, total) VALUES (?, ?)');
const line = own.prepare('INSERT INTO order_lines VALUES (?, ?, ?)');
const stock = own.prepare('UPDATE rows_in SET amount = amount + 1 WHERE id = ?');
const touchesRows = process.argv[5] === 'rows';
const took: number[] = [];
const gap = Number(rate) > 0 ? 1_000 / Number(rate) : 0;
const started = performance.now();
let due = started;
while (performance.now() < started + Number(forMs)) {
  const began = performance.now();
  await write(took.length);
  took.push(performance.now() - began);
  due += gap;
  const rest = due - performance.now();
  if (rest > 0) await delay(rest);
  else if (gap > 0) due = performance.now();
}
process.stdout.write(JSON.stringify({ took }));

async function write(number: number): Promise<void> {
  await onceUnlocked(() => own.exec('BEGIN IMMEDIATE'));
  const { lastInsertRowid } = header.run(`customer ${number % 100}`, number);
  for (let item = 0; item < 3; item += 1) line.run(lastInsertRowid, item, number);
  if (touchesRows) stock.run(1 + (number % 1_000));
  own.exec('COMMIT');
}
