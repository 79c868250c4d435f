/**
 * `npm run reset`: clears the data folder (FIG_DATA_DIR, by default `.fig`), so that the next start
 * is a first one. It touches nothing while a system runs on the folder, and nothing that Fig has
 * not put there.
 */
import './check-node.cjs';
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { lives, startedAt } from './process.js';

/** What Fig writes into a data folder. */
const OURS = [
  /^[a-z-]+\.db(-wal|-shm|-journal)?$/,
  /^(flags|system|load|contract)\.json(\..*)?$/,
  /^supervisor\.(lock|lock-journal|pid)$/,
  /^(token|auth-secret|audit\.jsonl)$/,
  /^identity-keys?\.(pem|json)$/,
  /^(logs|redis|programs)$/,
];
/** The first file that a start makes: a folder without it was never one of Fig's. */
const MARK = 'supervisor.lock';
const SAME_MOMENT_MS = 3_000;

const HELP = `Usage: npm run reset

Clears the data folder ($FIG_DATA_DIR, by default .fig), so that the next start is a first one.
It removes nothing while a system runs on the folder, and nothing that Fig has not put there.

Exit code: 0 cleared, or nothing to clear; 1 refused; 2 wrong usage.
`;
const words = process.argv.slice(2);
if (words.length > 0) {
  const asked = words.every((word) => word === '--help' || word === '-h');
  (asked ? process.stdout : process.stderr).write(HELP);
  process.exit(asked ? 0 : 2);
}

const folder = resolve(process.env.FIG_DATA_DIR || '.fig');
if (!existsSync(folder)) end(`${folder} does not exist: nothing to clear`);

const entries = readdirSync(folder);
if (entries.length > 0 && !entries.includes(MARK)) {
  refuse(`${folder} is not a data folder of Fig (it has no ${MARK})`);
}
const owner = runningSupervisor();
if (owner !== undefined) {
  refuse(`a system runs on ${folder} (process ${owner}); stop it first`);
}
const foreign = entries.filter((name) => !OURS.some((pattern) => pattern.test(name)));
if (foreign.length > 0) {
  refuse(`${folder} also holds what is not Fig's: ${foreign.join(', ')}; move that away first`);
}
for (const name of entries) rmSync(join(folder, name), { recursive: true });
rmdirSync(folder);
end(`cleared ${folder}`);

function runningSupervisor() {
  const file = join(folder, 'supervisor.pid');
  if (!existsSync(file)) return undefined;
  const pid = Number(readFileSync(file, 'utf8'));
  // One that started after the file was written has been given an id that was free by then.
  const startedBy = statSync(file).mtimeMs + SAME_MOMENT_MS;
  return lives(pid) && (startedAt(pid) ?? startedBy) <= startedBy ? pid : undefined;
}

function refuse(reason) {
  console.error(`reset: ${reason}; nothing was removed`);
  process.exit(1);
}

function end(text) {
  console.log(`reset: ${text}`);
  process.exit(0);
}
