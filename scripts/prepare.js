/**
 * Makes a fresh clone ready for `npm start`, `npm test` and `npm run rehearse`: the right Node, the
 * packages of the lockfile, `dist/` built from the sources, and a Redis (not with `--without-redis`);
 * with `--tests` also a PostgreSQL. Plain Node, since it runs before anything is installed. It does
 * only what is missing, and says what it does.
 */
import './check-node.cjs';
import { existsSync, mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PrepareFailed, run } from './command.js';
import { explain } from './explain.js';
import { findFiles } from './files.js';
import { installPackages, whyInstall } from './install.js';
import { withLock } from './lock.js';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
/** What is built, by which command and of which files; the stamp's time is that of the sources. */
const programs = {
  name: 'dist/',
  stamp: join(dist, '.built'),
  command: [join(root, 'node_modules/typescript/bin/tsc'), '-p', root],
  sources: findSources,
  configuration: ['tsconfig.json', 'package-lock.json'],
};
/** The console's page; a project without one has nothing to build for it. */
const page = {
  name: 'dist/console/',
  stamp: join(dist, 'console', '.built'),
  command: [
    join(root, 'node_modules/vite/bin/vite.js'),
    'build',
    '--config',
    join(root, 'console/vite.config.ts'),
    '--logLevel',
    'warn',
  ],
  sources: () =>
    ['console', 'chassis/text'].flatMap((part) => findFiles(join(root, part), () => true)),
  configuration: ['package-lock.json'],
};
const targets = existsSync(join(root, 'console')) ? [programs, page] : [programs];

// Node would leave without a word to what it has started, and without giving back its lock.
for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
  process.once(signal, () => process.exit(128 + number));
}

// An image holds what was built elsewhere, and no sources: there is nothing to prepare.
if (existsSync(join(root, 'tsconfig.json'))) {
  try {
    await prepare();
  } catch (error) {
    say(explain(error, root));
    process.exitCode = 1;
  }
}

async function prepare() {
  // Asked here, too: a checkout in which everything is prepared may be one that can't be written to.
  const isReady = () => whyInstall(root) === undefined && targets.every(isBuilt);
  if (!isReady()) {
    mkdirSync(join(root, '.cache'), { recursive: true });
    await withLock(join(root, '.cache', 'prepare.lock'), say, async () => {
      await install();
      for (const target of targets) if (!isBuilt(target)) await build(target);
    });
  }
  if (!process.argv.includes('--without-redis')) await findServer('prepare-redis.js');
  if (process.argv.includes('--tests')) await findServer('prepare-postgres.js');
}

async function install() {
  const reason = whyInstall(root);
  if (reason === undefined) return;
  say(`${reason}: running npm ci (a minute or so; better-sqlite3 may have to be compiled)`);
  await installPackages(root, say);
}

async function build({ name, stamp, command }) {
  say(`building ${name}`);
  const startedAt = new Date();
  rmSync(stamp, { force: true });
  const { end } = await run([process.execPath, ...command], { cwd: root, stdio: 'inherit' });
  if (end !== 0) throw new PrepareFailed(`${command.join(' ')} failed (${end})`);
  removeLeftovers();
  writeFileSync(stamp, '');
  // The start, not the end: a source that changes meanwhile is built next time.
  utimesSync(stamp, startedAt, startedAt);
}

/** Of the programs; the console's are built apart. */
function findSources() {
  return findFiles(root, (name) => name.endsWith('.ts')).filter((file) => !isOfConsole(file, root));
}

function isOfConsole(file, folder) {
  return file.startsWith(join(folder, 'console', '/'));
}

function isBuilt({ stamp, sources, configuration }) {
  if (!existsSync(stamp)) return false;
  const builtAt = statSync(stamp).mtimeMs;
  const inputs = [...sources(), ...configuration.map((file) => join(root, file))];
  return inputs.every((file) => statSync(file).mtimeMs <= builtAt) && leftovers().length === 0;
}

/** What an earlier build made of sources that are gone since. */
function leftovers() {
  const known = new Set(findSources());
  return findFiles(dist, (name) => name.endsWith('.js')).filter(
    (file) =>
      !isOfConsole(file, dist) &&
      !known.has(join(root, file.slice(dist.length)).replace(/\.js$/, '.ts')),
  );
}

function removeLeftovers() {
  for (const file of leftovers()) {
    rmSync(file);
    rmSync(`${file}.map`, { force: true });
  }
}

/** Compiled with the rest: what finds a server for the system finds it here, and fetches it now. */
async function findServer(name) {
  const program = join(dist, 'system', name);
  if (!existsSync(program)) return;
  const { end } = await run([process.execPath, program], { cwd: root, stdio: 'inherit' });
  // It has said why.
  if (end !== 0) process.exit(1);
}

function say(text) {
  console.error(`prepare: ${text}`);
}
