import {
  accessSync,
  constants,
  existsSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { PrepareFailed, run } from './command.js';

const STILL_MS = 15_000;
const LINES_SHOWN = 40;

/**
 * Why packages have to be installed, or undefined: compares what npm installed last, which it notes
 * down itself, with what the lockfile asks for.
 *
 * @param {string} root
 */
export function whyInstall(root) {
  const readJson = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'));
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

/**
 * Installs what the lockfile asks for. What npm writes is shown when it fails, and in part only
 * where the reason is known.
 *
 * @param {string} root
 * @param {(text: string) => void} say
 * @throws PrepareFailed
 */
export async function installPackages(root, say) {
  const npm = process.env.npm_execpath;
  // Development packages also where NODE_ENV=production: the compiler is one of them.
  // And with its reasons also under `npm -s start`: they are shown only when it fails.
  const parameters = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=notice'];
  const command = npm ? [process.execPath, npm, ...parameters] : ['npm', ...parameters];
  const startedAt = performance.now();
  const still = setInterval(() => {
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    say(`npm ci is still at it (${seconds} s)`);
  }, STILL_MS);
  const { end, output } = await run(command, {
    cwd: root,
    env: { ...nodeHeaders(), ...process.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  clearInterval(still);
  const log = join(root, '.cache', 'npm-ci.log');
  rmSync(log, { force: true });
  if (end === 0) return;
  writeFileSync(log, output);
  throw new PrepareFailed(
    `${whyFailed(output)}\n${command.join(' ')} failed (${end}); all it wrote is in ${log}`,
  );
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

function whyFailed(output) {
  if (/ENOSPC|EDQUOT/.test(output)) return 'the disk is full: free some space and start again';
  const end = output.trimEnd().split('\n').slice(-LINES_SHOWN).join('\n');
  if (!/gyp ERR!/.test(output)) return end;
  const missing = missingTools();
  if (missing.length === 0) return `${end}\n${howToCompile('something that it needs is missing')}`;
  return howToCompile(`this machine has no ${missing.join(', no ')}`);
}

function howToCompile(reason) {
  return [
    `better-sqlite3, the driver of SQLite, has to be compiled here, and ${reason}. Install what it needs:`,
    '  Debian, Ubuntu  sudo apt-get install python3 make g++',
    '  macOS           xcode-select --install',
    '  Fedora          sudo dnf install python3 make gcc-c++',
    'and start again. Where GitHub can be reached it is fetched compiled, and none of this is needed.',
  ].join('\n');
}

/** What of a compiler's tools is not on the PATH. */
function missingTools() {
  const tools = {
    python3: ['python3', 'python'],
    make: ['make', 'gmake'],
    'C++ compiler': ['c++', 'g++', 'clang++'],
  };
  return Object.entries(tools)
    .filter(([, names]) => !names.some(isOnPath))
    .map(([tool]) => tool);
}

function isOnPath(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
