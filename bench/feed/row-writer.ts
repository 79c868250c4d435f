import Database from 'better-sqlite3';

/**
 * A process of its own: writes rows at a steady rate and watches the other side until it shows them.
 * Arguments: its file, the file to watch, writes a second, and for how long, in ms. Prints the lags
 * from commit to visible, in ms.
 */
const [, , file = '', watched = '', rate = '1000', forMs = '4000'] = process.argv;
const own = new Database(file, { timeout: 0 });
const other = new Database(watched, { readonly: true });
const write = own.prepare('INSERT INTO rows_in (name, amount, at) VALUES (?, ?, ?)');
const shown = other.prepare('SELECT max(id) FROM rows_in').pluck();
const committed = new Map<number, number>();
const lags: number[] = [];
const gap = 1_000 / Number(rate);
const cell = new Int32Array(new SharedArrayBuffer(4));

let seen = Number(shown.get() ?? 0);
const started = performance.now();
let due = started;
while (performance.now() < started + Number(forMs) + 500) {
  const now = performance.now();
  if (now >= due && now < started + Number(forMs)) {
    due += gap;
    tryToWrite();
  }
  look();
  // A moment without the processor: the engine shares it.
  if (performance.now() < due) Atomics.wait(cell, 0, 0, 0.2);
}
process.stdout.write(JSON.stringify({ lags, lost: committed.size }));

function tryToWrite(): void {
  try {
    const { lastInsertRowid } = write.run('lag', 1, Date.now());
    committed.set(Number(lastInsertRowid), performance.now());
  } catch (error) {
    if (!String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) throw error;
    due = performance.now() + 1;
  }
}

function look(): void {
  const newest = Number(shown.get() ?? 0);
  const now = performance.now();
  for (; seen < newest; seen += 1) {
    const at = committed.get(seen + 1);
    if (at !== undefined) lags.push(now - at);
    committed.delete(seen + 1);
  }
}
