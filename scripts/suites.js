/**
 * Jest gives each file of tests modules of its own, and loading those of Fig and of what it is built from took a third of
 * the processor's time. So short files of one folder run as one: a file that imports them, and shares its modules.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { readDurations } from './durations.js';
import { findFiles } from './files.js';

/** A suite is not filled beyond this; a file that takes longer by itself runs alone. */
const SECONDS = 70;
/** One that was never measured. */
const UNKNOWN_SECONDS = 10;
/** Hooks outside of any `describe`, which would be those of all files of a suite. */
const OWN_HOOKS = /^(?:before|after)(?:All|Each)\(/m;

/**
 * Shares out the files of tests, and writes a file for each suite of more than one.
 *
 * @param {string} root the project's folder
 * @param {(name: string) => boolean} wanted by the file's name
 * @returns {string[]} paths of what jest is to run
 */
export function writeSuites(root, wanted) {
  const folder = join(root, '.cache', 'suites');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const durations = readDurations();
  const secondsOf = (path) => durations[relative(root, path)] ?? UNKNOWN_SECONDS;
  const suites = new Map();
  const paths = [];
  for (const path of findFiles(root, wanted).toSorted()) {
    if (secondsOf(path) > SECONDS || OWN_HOOKS.test(readFileSync(path, 'utf8'))) {
      paths.push(path);
      continue;
    }
    const about = folderOf(relative(root, path));
    const open = suites.get(about)?.at(-1);
    if (open && open.seconds + secondsOf(path) <= SECONDS) {
      open.files.push(path);
      open.seconds += secondsOf(path);
    } else {
      const begun = { files: [path], seconds: secondsOf(path) };
      suites.set(about, [...(suites.get(about) ?? []), begun]);
    }
  }
  for (const [about, parts] of suites) {
    for (const [index, { files }] of parts.entries()) {
      paths.push(
        files.length === 1
          ? files[0]
          : writeSuite(folder, `${about.replaceAll(sep, '-')}-${index + 1}`, files),
      );
    }
  }
  return paths;
}

/**
 * The files that a suite imports; the file itself where it is none.
 *
 * @param {string} path
 */
export function filesOf(path) {
  if (basename(dirname(path)) !== 'suites') return [path];
  const imports = readFileSync(path, 'utf8').matchAll(/^import '(.+)';$/gm);
  return Array.from(imports, ([, from]) => join(dirname(path), from));
}

/** `tests/facade` for what lies there or below, and the first folder for all else. */
export function folderOf(path) {
  const [first, second] = path.split(sep);
  return first === 'tests' ? join(first, second) : first;
}

function writeSuite(folder, name, files) {
  const soak = files[0]?.endsWith('.soak.test.ts') ? '.soak' : '';
  const path = join(folder, `${name}${soak}.test.ts`);
  const lines = files.map((file) => `import '${relative(folder, file).replaceAll(sep, '/')}';\n`);
  writeFileSync(path, lines.join(''));
  return path;
}
