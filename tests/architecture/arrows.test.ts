import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { projectRoot } from '../../system/index.ts';
import { withTempDir } from '../support/index.ts';
import { cruise } from './cruise.ts';
import type { Cruise } from './cruise.ts';

/** What others may import at all: one file for each public surface. */
const SURFACES = {
  guard: 'guard/index.ts',
  chassis: 'chassis/index.ts',
  web: 'chassis/web/index.ts',
  redis: 'chassis/redis/index.ts',
  text: 'chassis/text/index.ts',
  cli: 'chassis/cli/index.ts',
  contracts: 'contracts/index.ts',
  monolith: 'monolith/index.ts',
  service: 'extracted/shipping/index.ts',
  facade: 'facade/index.ts',
  engine: 'strangler/index.ts',
  codecs: 'strangler/mapping/index.ts',
  routing: 'routing/index.ts',
  schema: 'migrations/shop/index.ts',
  mapping: 'migrations/shop/mapping.ts',
  contractCheck: 'contract-check/index.ts',
  supervisor: 'supervisor/index.ts',
  system: 'system/index.ts',
  rehearsal: 'rehearsal/index.ts',
  bench: 'bench/index.ts',
  support: 'tests/support/index.ts',
} as const;
type Surface = keyof typeof SURFACES;
const EVERYTHING = Object.keys(SURFACES) as Surface[];
const CHASSIS: Surface[] = ['chassis', 'web', 'redis', 'text', 'cli'];
const IN_TESTS: Surface[] = [...CHASSIS, 'contracts', 'schema', 'mapping', 'support', 'service'];
const TOOLS: Surface[] = [...CHASSIS, 'contracts', 'system', 'engine', 'routing', 'mapping'];

/** The arrows, stated once more and on purpose apart from the rules that are under test. */
const MAY: Readonly<Record<string, readonly Surface[]>> = {
  'guard/code.ts': [],
  'chassis/code.ts': ['guard'],
  'contracts/code.ts': [],
  'monolith/code.ts': [...CHASSIS, 'contracts'],
  'monolith/orders/code.ts': [...CHASSIS, 'contracts'],
  'monolith/main.ts': [...CHASSIS, 'contracts', 'schema'],
  'extracted/payment/code.ts': [...CHASSIS, 'contracts'],
  'extracted/payment/main.ts': [...CHASSIS, 'contracts', 'schema'],
  'extracted/payment/code.test.ts': IN_TESTS,
  'facade/code.ts': [...CHASSIS, 'contracts', 'routing'],
  'console/code.ts': ['text'],
  'routing/code.ts': [...CHASSIS],
  'strangler/code.ts': [...CHASSIS, 'routing'],
  'strangler/cli/code.ts': [...CHASSIS, 'routing', 'supervisor'],
  'strangler/code.test.ts': [
    ...CHASSIS,
    'routing',
    'schema',
    'mapping',
    'support',
    'service',
    'supervisor',
  ],
  'migrations/shop/code.ts': [...CHASSIS, 'contracts', 'codecs'],
  'contract-check/code.ts': [...CHASSIS, 'contracts', 'monolith', 'service', 'schema', 'routing'],
  'supervisor/code.ts': [...CHASSIS],
  'system/code.ts': [...CHASSIS, 'schema', 'supervisor'],
  'rehearsal/code.ts': TOOLS,
  'bench/code.ts': [...TOOLS, 'monolith', 'schema'],
  'tests/journeys/code.test.ts': EVERYTHING,
  'scripts/code.js': [],
  'bin/code.js': [],
  'deploy/code.js': [],
  'docs/code.js': [],
  'examples/code.js': ['engine', 'routing'],
  'fig.config.ts': [...CHASSIS, 'contracts', 'engine', 'codecs', 'routing', 'mapping'],
};

function folderOf(path: string): string {
  return path.split('/')[0] ?? '';
}

/** To a folder's own surface there is no arrow, except from one service to another. */
function arrowsFrom(file: string): Surface[] {
  return EVERYTHING.filter(
    (surface) =>
      folderOf(SURFACES[surface]) !== folderOf(file) ||
      (surface === 'service' && file.startsWith('extracted/')),
  );
}

/** Single offences that the table above can't show, by the rule that must name them. */
const OFFENCES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'arrows-of-monolith': { 'monolith/deep.ts': '../chassis/inner.ts' },
  'arrows-of-facade': { 'facade/deep.ts': '../strangler/inner.ts' },
  'arrows-of-tests': { 'tests/journeys/deep.ts': '../../rehearsal/inner.ts' },
  'mains-of-monolith': { 'monolith/load.ts': '../strangler/index.ts' },
  'tests-of-facade': { 'facade/deep.test.ts': '../monolith/inner.ts' },
  'text-alone': { 'chassis/text/asks.ts': '../inner.ts', 'chassis/text/reads.ts': 'node:fs' },
  'modules-by-index': { 'monolith/orders/deep.ts': '../stock/inner.ts' },
  'dialects-by-index': { 'strangler/ledger/peeks.ts': '../dialects/one/inner.ts' },
  'dialects-apart': { 'strangler/dialects/one/peeks.ts': '../other/inner.ts' },
  'doctor-by-index': { 'strangler/engine/peeks.ts': '../doctor/inner.ts' },
  'doctor-without-engine': { 'strangler/doctor/asks.ts': '../engine/inner.ts' },
  'services-without-engine': { 'extracted/payment/reach.ts': '../../chassis/reach.ts' },
  'no-cycles': { 'contracts/one.ts': './other.ts' },
  'scripts-alone': { 'scripts/needs.js': 'express' },
  'no-development-packages': {
    'facade/fancy.ts': 'fast-check',
    'contracts/cases/asks.ts': 'supertest',
    'own.config.ts': 'fastify',
  },
  'production-without-tests': {
    'system/borrows.ts': '../tests/support/index.ts',
    'strangler/borrows.ts': '../tests/strangler/support/made.ts',
  },
  'nothing-unresolved': { 'system/lost.ts': './nowhere.ts' },
};

const INNER = [
  'chassis',
  'monolith',
  'strangler',
  'rehearsal',
  'monolith/stock',
  'strangler/doctor',
  'strangler/engine',
  'strangler/dialects/one',
  'strangler/dialects/other',
];

/** Writes files that import one thing each, so that a violation's place says which arrow it is. */
function writeForbiddenTree(root: string): void {
  const write = (path: string, content: string): void => {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), content, { flag: 'a' });
  };
  symlinkSync(join(projectRoot, 'node_modules'), join(root, 'node_modules'));
  symlinkSync(join(projectRoot, 'package.json'), join(root, 'package.json'));
  for (const path of Object.values(SURFACES)) write(path, 'export const surface = 1;\n');
  for (const folder of INNER) write(`${folder}/inner.ts`, 'export const inner = 1;\n');
  write('chassis/reach.ts', "import '../strangler/index.ts';\n");
  write('contracts/other.ts', "import './one.ts';\n");
  write('tests/strangler/support/made.ts', 'export const made = 1;\n');
  for (const file of Object.keys(MAY)) {
    for (const surface of arrowsFrom(file)) {
      const path = posix.relative(posix.dirname(file), SURFACES[surface]);
      write(file, `import '${path.startsWith('.') ? path : `./${path}`}';\n`);
    }
  }
  for (const offences of Object.values(OFFENCES)) {
    for (const [file, target] of Object.entries(offences)) write(file, `import '${target}';\n`);
  }
}

describe('imports between folders', () => {
  let cruised: Cruise;

  beforeAll(() =>
    withTempDir(async (root) => {
      writeForbiddenTree(root);
      cruised = await cruise(root);
    }),
  );

  function refusals(from: string): string[] {
    return cruised.violations.filter((violation) => violation.from === from).map(({ to }) => to);
  }

  it('are as they may be in this repository', async () => {
    expect(await cruise(projectRoot)).toMatchObject({ violations: [], error: '' });
  });

  it.each(Object.entries(MAY))('%s may import what it may, and nothing else', (file, allowed) => {
    const refused = new Set(refusals(file));
    for (const surface of arrowsFrom(file)) {
      const verdict = refused.has(SURFACES[surface]) ? 'refused' : 'allowed';
      expect(`${surface} ${verdict}`).toBe(
        `${surface} ${allowed.includes(surface) ? 'allowed' : 'refused'}`,
      );
    }
  });

  it.each(Object.entries(OFFENCES))('%s finds the offence made for it', (rule, offences) => {
    const found = cruised.violations.filter((violation) => violation.rule === rule);
    expect(found.map(({ from }) => from)).toEqual(expect.arrayContaining(Object.keys(offences)));
  });

  it('are ruled for every folder that there is', () => {
    const folders = readdirSync(projectRoot, { withFileTypes: true })
      .filter(
        (entry) => entry.isDirectory() && !/^(\.|node_modules|dist|coverage)/.test(entry.name),
      )
      .map((entry) => entry.name);
    expect(folders.filter((folder) => !cruised.rules.includes(`arrows-of-${folder}`))).toEqual([]);
    const biting = new Set(cruised.violations.map(({ rule }) => rule));
    const needed = cruised.rules.filter((rule) => !/^(mains|tests)-of-/.test(rule));
    expect(needed.filter((rule) => !biting.has(rule))).toEqual([]);
  });

  it('stop the check when a new folder has no rule', () =>
    withTempDir(async (root) => {
      mkdirSync(join(root, 'helpers'));
      expect((await cruise(root)).error).toContain('helpers/ has no rule');
    }));
});
