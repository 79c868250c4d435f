/**
 * `npm test`: every check of the repository, with the time that each took; the last line is
 * `N passed, N failed`. Files named `*.soak.test.ts` are left to `npm run test:soak` (`--soak`), which
 * runs nothing else; `--all` runs both. Other arguments are for jest, which then runs alone
 * (`npm test -- tests/system`). Short files of one folder run as one (`suites.js`), unless `--write-durations`
 * notes down how long each took, for the order of later runs.
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { writeDurations } from './durations.js';
import { memoryFolder } from './memory-folder.js';
import { filesOf, folderOf, writeSuites } from './suites.js';

const root = join(import.meta.dirname, '..');
const bin = (path) => join(root, 'node_modules', path);
const LONGEST_MS = 40 * 60_000;

/**
 * Checks without tests of their own: one that fails counts as one failed. Types are checked by the build
 * before, and who imports whom by tests/architecture.
 */
const STATIC_CHECKS = [
  { name: 'lint', command: [bin('oxlint/bin/oxlint'), '--type-aware'] },
  {
    name: 'format',
    command: [
      bin('prettier/bin/prettier.cjs'),
      '--check',
      // Reading all files takes a twentieth of the processor's time of a run: those found in order are not read again.
      '--cache',
      '--cache-strategy=content',
      `--cache-location=${join(root, '.cache', 'prettier.json')}`,
      '.',
    ],
  },
];

const isSoak = (file) => file.endsWith('.soak.test.ts');
const TESTS = {
  name: 'tests',
  pattern: '**/!(*.soak).test.ts',
  wanted: (file) => file.endsWith('.test.ts') && !isSoak(file),
};
const SOAK = { name: 'soak', pattern: '**/*.soak.test.ts', wanted: isSoak };

/** All that is written for a while goes here, also by tests that are killed, and goes away with the run. */
const scratch = mkdtempSync(join(memoryFolder() ?? tmpdir(), 'fig-test-run-'));
// Some programs that tests start run as another user, such as PostgreSQL, in folders of their own below.
chmodSync(scratch, 0o711);
const parts = [];
let passed = 0;
let failed = 0;

// Ctrl-C reaches the whole group of processes; other signals reach only this one.
const running = new Set();
for (const signal of ['SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    for (const child of running) child.kill(signal);
    rmSync(scratch, { recursive: true, force: true });
    process.exit(1);
  });
}

const narrowed = process.argv.slice(2);
const wants = (option) => {
  const index = narrowed.indexOf(option);
  if (index >= 0) narrowed.splice(index, 1);
  return index >= 0;
};
const writesDurations = wants('--write-durations');
const all = wants('--all');
const runs = all ? [TESTS, SOAK] : [wants('--soak') ? SOAK : TESTS];

// Beside the tests, which wait for other processes a quarter of their time.
const checked = narrowed.length === 0 && runs.includes(TESTS) ? staticChecks() : [];
for (const { name, pattern, wanted } of runs) {
  // Last, since these options take every path after them.
  const what =
    narrowed.length > 0 || writesDurations
      ? [...narrowed, '--testMatch', pattern]
      : ['--runTestsByPath', ...writeSuites(root, wanted)];
  await jest(name, what);
}
parts.unshift(...(await checked));
rmSync(scratch, { recursive: true, force: true });
console.log(`\nWhat each part took:\n${parts.join('\n')}\n\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** One after the other, so that they leave a processor to the tests. */
async function staticChecks() {
  const lines = [];
  for (const { name, command } of STATIC_CHECKS) {
    const startedAt = performance.now();
    const { ok, output } = await run(command, 'pipe');
    if (!ok) failed += 1;
    console.log(`\n=== ${name}\n${output.trimEnd()}`);
    lines.push(line(name, secondsSince(startedAt), ok ? 'ok' : 'FAILED'));
  }
  return lines;
}

/** Counts come from jest's own report; a suite that could not run at all is one failed. */
async function jest(name, parameters) {
  console.log(`\n=== ${name}`);
  const startedAt = performance.now();
  const file = join(scratch, `${name}.json`);
  const { ok } = await run([
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    bin('jest/bin/jest.js'),
    '--maxWorkers=2',
    '--workerIdleMemoryLimit=1GB',
    '--json',
    `--outputFile=${file}`,
    ...parameters,
  ]);
  const report = readReport(file);
  // A test that was skipped or is only planned has shown nothing.
  const unshown = report.numPendingTests + report.numTodoTests;
  const red = report.numFailedTests + report.numRuntimeErrorTestSuites + unshown;
  // Jest can also fail with all tests green, or without a report at all.
  const failures = Math.max(red, ok ? 0 : 1);
  passed += report.numPassedTests;
  failed += failures;
  const durations = durationsIn(report);
  parts.push(
    line(name, secondsSince(startedAt), `${report.numPassedTests} passed, ${failures} failed`),
    ...breakdown(durations),
  );
  if (writesDurations) writeDurations(durations);
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return {
      numPassedTests: 0,
      numFailedTests: 1,
      numRuntimeErrorTestSuites: 0,
      numPendingTests: 0,
      numTodoTests: 0,
      testResults: [],
    };
  }
}

/** Seconds by the path of each file that ran. */
function durationsIn({ testResults }) {
  return Object.fromEntries(
    testResults.map(({ name, startTime, endTime }) => [
      relative(root, name),
      Math.round((endTime - startTime) / 100) / 10,
    ]),
  );
}

/** Two files run at a time, so that the sums of the folders are about twice what passed. */
function breakdown(durations) {
  const folders = {};
  for (const [file, seconds] of Object.entries(durations)) {
    // A suite is of one folder.
    const [first = ''] = filesOf(join(root, file));
    const folder = folderOf(relative(root, first));
    folders[folder] = (folders[folder] ?? 0) + seconds;
  }
  const longest = Object.entries(durations).sort(([, left], [, right]) => right - left);
  return [
    '    summed up by folder:',
    ...Object.entries(folders).map(([folder, seconds]) => line(`    ${folder}`, seconds)),
    '    the longest files:',
    ...longest.slice(0, 10).map(([file, seconds]) => line(`    ${file}`, seconds)),
  ];
}

function line(name, seconds, outcome = '') {
  return `  ${name.padEnd(48)} ${seconds.toFixed(1).padStart(7)} s   ${outcome}`.trimEnd();
}

function secondsSince(startedAt) {
  return (performance.now() - startedAt) / 1000;
}

/** Runs a program of Node to its end; what hangs is ended and has failed. */
function run(command, stdio = 'inherit') {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, command, {
      cwd: root,
      env: { ...process.env, TMPDIR: scratch },
      // jest's --json prints the report to standard output unless it goes to a file
      stdio: ['ignore', stdio, stdio],
      timeout: LONGEST_MS,
    });
    running.add(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => (output += text));
    }
    child.once('error', (error) => resolve({ ok: false, output: String(error) }));
    child.once('close', (code) => {
      running.delete(child);
      resolve({ ok: code === 0, output });
    });
  });
}
