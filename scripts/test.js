/**
 * `npm test`: every check of the repository, in order, with the time that each took; the last line
 * is `N passed, N failed`. With arguments (`npm test -- tests/system`) only jest runs, with these.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { findFiles } from './files.js';

const root = join(import.meta.dirname, '..');
const bin = (path) => join(root, 'node_modules', path);
const LONGEST_MS = 20 * 60_000;

/** Checks without tests of their own: one that fails counts as one failed. */
const STATIC_CHECKS = [
  { name: 'typecheck', command: [bin('typescript/bin/tsc'), '--noEmit', '-p', root] },
  { name: 'lint', command: [bin('oxlint/bin/oxlint'), '--type-aware'] },
  {
    name: 'imports',
    command: [bin('dependency-cruiser/bin/dependency-cruise.mjs'), ...cruiserParameters()],
  },
  { name: 'format', command: [bin('prettier/bin/prettier.cjs'), '--check', '.'] },
];

function cruiserParameters() {
  return ['--config', '.dependency-cruiser.cjs', '.'];
}

/** The tests beside the code, then each folder of tests/: enumerated, so that none is missed. */
function jestGroups() {
  const files = findFiles(root, (name) => name.endsWith('.test.ts')).map((file) =>
    relative(root, file),
  );
  const folders = readdirSync(join(root, 'tests'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join('tests', entry.name));
  return [
    { name: 'unit', files: files.filter((file) => !folders.some((folder) => isIn(folder, file))) },
    ...folders.map((name) => ({ name, files: files.filter((file) => isIn(name, file)) })),
  ].filter(({ files: found }) => found.length > 0);
}

function isIn(folder, file) {
  return file.startsWith(join(folder, '/'));
}

const results = mkdtempSync(join(tmpdir(), 'fig-test-results-'));
const parts = [];
let passed = 0;
let failed = 0;

const narrowed = process.argv.slice(2);
if (narrowed.length > 0) {
  await jest('jest', narrowed);
} else {
  for (const { name, command } of STATIC_CHECKS) await staticCheck(name, command);
  for (const { name, files } of jestGroups()) await jest(name, ['--runTestsByPath', ...files]);
}
rmSync(results, { recursive: true, force: true });
console.log(`\nWhat each part took:\n${parts.join('\n')}\n\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

async function staticCheck(name, command) {
  await part(name, async () => {
    if (await run(command)) return 'ok';
    failed += 1;
    return 'FAILED';
  });
}

/** Counts come from jest's own report; a suite that could not run at all is one failed. */
async function jest(name, parameters) {
  await part(name, async () => {
    const report = join(results, `${parts.length}.json`);
    const ok = await run([
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      bin('jest/bin/jest.js'),
      '--maxWorkers=2',
      '--workerIdleMemoryLimit=400MB',
      '--json',
      `--outputFile=${report}`,
      ...parameters,
    ]);
    const totals = readTotals(report);
    // Jest can also fail with all tests green, or without a report at all.
    const failures = Math.max(totals.failed, ok ? 0 : 1);
    passed += totals.passed;
    failed += failures;
    return `${totals.passed} passed, ${failures} failed`;
  });
}

function readTotals(report) {
  try {
    const totals = JSON.parse(readFileSync(report, 'utf8'));
    // A test that was skipped or is only planned has shown nothing.
    const unshown = totals.numPendingTests + totals.numTodoTests;
    return {
      passed: totals.numPassedTests,
      failed: totals.numFailedTests + totals.numRuntimeErrorTestSuites + unshown,
    };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

async function part(name, check) {
  console.log(`\n=== ${name}`);
  const startedAt = performance.now();
  const outcome = await check();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  parts.push(`  ${name.padEnd(24)} ${seconds.padStart(7)} s   ${outcome}`);
}

/** Runs a program of Node to its end; what hangs is ended and has failed. */
function run(command) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, command, {
      cwd: root,
      // jest's --json prints the report to standard output unless it goes to a file
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: LONGEST_MS,
    });
    child.once('error', () => resolve(false));
    child.once('close', (code) => resolve(code === 0));
  });
}
