/**
 * `node scripts/sql.js inventory "SELECT * FROM stock_levels LIMIT 3"`: statements for a database of
 * the system, in one transaction, as somebody at a SQL prompt would give them, also where no sqlite3
 * is installed. They go past the applications: fences and feeds can be seen to hold without these.
 */
import './check-node.cjs';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';

const NAMES = ['monolith', 'inventory', 'payment', 'notification', 'order-view', 'provider'];
const BUSY_MS = 5_000;

function databaseFile(name) {
  const folder = process.env.FIG_DATA_DIR || '.fig';
  const variable = `${name.toUpperCase().replace('-', '_')}_DATABASE_URL`;
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

function run(database, statement) {
  const prepared = database.prepare(statement);
  if (prepared.reader) print(prepared.all());
  else report(prepared.run().changes, statement);
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

function report(changes, statement) {
  const counts = /^\s*(INSERT|UPDATE|DELETE|REPLACE)\b/i.test(statement);
  console.log(counts ? `${changes} ${changes === 1 ? 'row' : 'rows'} changed` : 'done');
}

const [name, ...statements] = process.argv.slice(2);
if (!NAMES.includes(name) || statements.length === 0) {
  console.error(`usage: node scripts/sql.js ${NAMES.join('|')} STATEMENT...`);
  process.exitCode = 2;
} else {
  try {
    const database = new Database(databaseFile(name), { fileMustExist: true, timeout: BUSY_MS });
    database.transaction(() => statements.forEach((one) => run(database, one))).immediate();
    database.close();
  } catch (error) {
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  }
}
