/**
 * `node scripts/sql.js inventory "SELECT * FROM stock_levels LIMIT 3"`: one statement at a database
 * of the system, as somebody at a SQL prompt would give it, also where no sqlite3 is installed. It
 * goes past the applications, so that fences and feeds can be seen to hold without them.
 *
 * `--hold SECONDS` keeps the transaction open afterwards, as a slow nightly job would.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';

const NAMES = ['monolith', 'inventory', 'payment', 'provider'];
const BUSY_MS = 5_000;

function databaseFile(name) {
  const folder = process.env.FIG_DATA_DIR || '.fig';
  const variable = `${name.toUpperCase()}_DATABASE_URL`;
  const url = process.env[variable] || readSystem(folder).env?.[variable];
  if (!url) return join(folder, `${name}.db`);
  return url.startsWith('file:///') ? fileURLToPath(url) : url.replace(/^file:/, '');
}

/** What `npm start` wrote down; nothing once the system has stopped. */
function readSystem(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, 'system.json'), 'utf8'));
  } catch {
    return {};
  }
}

async function run(database, statement, holdMs) {
  database.exec('BEGIN IMMEDIATE');
  try {
    const prepared = database.prepare(statement);
    if (prepared.reader) print(prepared.all());
    else report(prepared.run().changes);
    if (holdMs > 0) await delay(holdMs);
    database.exec('COMMIT');
  } finally {
    if (database.inTransaction) database.exec('ROLLBACK');
  }
}

function print(rows) {
  if (rows.length === 0) return;
  const table = [Object.keys(rows[0]), ...rows.map((row) => Object.values(row).map(cell))];
  const widths = table[0].map((_name, index) => Math.max(...table.map((row) => row[index].length)));
  for (const row of table) {
    console.log(
      row
        .map((text, index) => text.padEnd(widths[index]))
        .join('  ')
        .trimEnd(),
    );
  }
}

function cell(value) {
  return value === null ? 'NULL' : String(value);
}

function report(changes) {
  console.log(`${changes} ${changes === 1 ? 'row' : 'rows'} changed`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { hold: { type: 'string', default: '0' } },
});
const [name, statement] = positionals;
if (!NAMES.includes(name) || statement === undefined || !(Number(values.hold) >= 0)) {
  console.error(`usage: node scripts/sql.js ${NAMES.join('|')} STATEMENT [--hold SECONDS]`);
  process.exitCode = 2;
} else {
  try {
    const database = new Database(databaseFile(name), { fileMustExist: true, timeout: BUSY_MS });
    await run(database, statement, Number(values.hold) * 1_000);
    database.close();
  } catch (error) {
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  }
}
