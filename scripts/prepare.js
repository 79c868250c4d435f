/**
 * Makes a fresh clone ready for `npm start`, `npm test` and `npm run rehearse`: the right Node, the
 * packages of the lockfile, `dist/` built from the sources, and a Redis; with `--tests` also a
 * PostgreSQL. Plain Node, since it runs before anything is installed. It does only what is missing,
 * and says what it does.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { findFiles } from './files.js';
import { withLock } from './lock.js';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
/** Its time is that of the sources in `dist/`. */
const stamp = join(dist, '.built');

checkNode();
mkdirSync(join(root, '.cache'), { recursive: true });
await withLock(join(root, '.cache', 'prepare.lock'), () => {
  installPackages();
  build();
  findServer('prepare-redis.js');
  if (process.argv.includes('--tests')) findServer('prepare-postgres.js');
});

function checkNode() {
  const { engines } = readJson('package.json');
  const [wantedMajor, wantedMinor] = engines.node.match(/\d+/g).map(Number);
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  fail(`Fig needs Node ${engines.node}; this is ${process.versions.node} (${process.execPath})`);
}

function installPackages() {
  const reason = whyInstall();
  if (reason === undefined) return;
  say(`${reason}: running npm ci (a minute or so; better-sqlite3 may have to be compiled)`);
  const npm = process.env.npm_execpath;
  // Development packages also where NODE_ENV=production: the compiler is one of them.
  const parameters = ['ci', '--include=dev', '--no-audit', '--no-fund'];
  const env = { ...nodeHeaders(), ...process.env };
  if (npm) run(process.execPath, [npm, ...parameters], env);
  else run('npm', parameters, env);
}

/** Where Node brought its own headers, compiling need not download them. */
function nodeHeaders() {
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  const version = join(prefix, 'include', 'node', 'node_version.h');
  if (!existsSync(version)) return {};
  const text = readFileSync(version, 'utf8');
  const numbers = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => new RegExp(`NODE_${part}_VERSION (\\d+)`).exec(text)?.[1],
  );
  return numbers.join('.') === process.versions.node ? { npm_config_nodedir: prefix } : {};
}

/** Compares what npm installed last, which it notes down itself, with what the lockfile asks for. */
function whyInstall() {
  if (!existsSync(join(root, 'node_modules', '.package-lock.json'))) {
    return 'node_modules is missing';
  }
  const wanted = readJson('package-lock.json').packages;
  const installed = readJson('node_modules/.package-lock.json').packages;
  for (const [path, { version, optional, devOptional, link }] of Object.entries(wanted)) {
    if (path === '' || link) continue;
    // A package for another platform is rightly absent.
    if (!installed[path] && (optional || devOptional)) continue;
    if (installed[path]?.version !== version) {
      return `${path} is not what package-lock.json asks for`;
    }
  }
  return undefined;
}

function build() {
  const sources = findFiles(root, (name) => name.endsWith('.ts'));
  if (isBuilt([...sources, join(root, 'tsconfig.json'), join(root, 'package-lock.json')])) return;
  say('building dist/');
  const startedAt = new Date();
  rmSync(stamp, { force: true });
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', root]);
  removeLeftovers(sources);
  writeFileSync(stamp, '');
  // The start, not the end: a source that changes meanwhile is built next time.
  utimesSync(stamp, startedAt, startedAt);
}

function isBuilt(inputs) {
  if (!existsSync(stamp)) return false;
  const builtAt = statSync(stamp).mtimeMs;
  return (
    inputs.every((file) => statSync(file).mtimeMs <= builtAt) && leftovers(inputs).length === 0
  );
}

/** What an earlier build made of sources that are gone since. */
function leftovers(sources) {
  const known = new Set(sources);
  return findFiles(dist, (name) => name.endsWith('.js')).filter(
    (file) => !known.has(join(root, file.slice(dist.length)).replace(/\.js$/, '.ts')),
  );
}

function removeLeftovers(sources) {
  for (const file of leftovers(sources)) {
    rmSync(file);
    rmSync(`${file}.map`, { force: true });
  }
}

/** Compiled with the rest: what finds a server for the system finds it here, and fetches it now. */
function findServer(name) {
  const program = join(dist, 'system', name);
  if (!existsSync(program)) return;
  const { status } = spawnSync(process.execPath, [program], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}

function run(command, parameters, env = process.env) {
  const { status, error, signal } = spawnSync(command, parameters, {
    cwd: root,
    stdio: 'inherit',
    env,
  });
  if (status === 0) return;
  fail(`${[command, ...parameters].join(' ')} failed (${error?.message ?? signal ?? status})`);
}

function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

function say(text) {
  console.error(`prepare: ${text}`);
}

function fail(text) {
  say(text);
  process.exit(1);
}
