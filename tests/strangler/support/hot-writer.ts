import Database from 'better-sqlite3';

/**
 * A process of its own that changes a few rows of the legacy side as fast as it may until it is
 * killed: node dist/tests/strangler/support/hot-writer.js FILE
 */
const [, , file = ''] = process.argv;
const prompt = new Database(file, { timeout: 2_000 });
prompt.pragma('recursive_triggers = ON');
const stock = prompt.prepare(
  'INSERT INTO STOCK VALUES (?, ?, 0, NULL) ON CONFLICT DO UPDATE SET QTY = QTY + 1',
);
const gone = prompt.prepare('DELETE FROM STOCK WHERE SKU = ?');
const payment = prompt.prepare('REPLACE INTO PAY VALUES (?, ?, ?, ?, ?)');
const refund = prompt.prepare(`REPLACE INTO RFND VALUES (?, ?, '1.00', ?, ?, ?)`);

function time(at: number): string {
  return new Date(at).toISOString().replace('T', ' ').replace('Z', '');
}

let round = 0;
const change = prompt.transaction(() => {
  const key = `hot${(round * 7) % 30}`;
  const state = ['P', 'S', 'D'][round % 3];
  stock.run(key, round % 50);
  if (round % 7 === 0) gone.run(`hot${round % 30}`);
  payment.run(key, `${round % 90}.00`, state, time(0), time(state === 'P' ? 0 : round));
  refund.run(key, key, round % 2 ? 'S' : 'P', time(0), time(round % 2 ? round : 0));
});

setInterval(() => {
  round += 1;
  change.immediate();
}, 1);
