/**
 * Who may import whom. The folders are read from the disk: one that is not in this table stops the
 * check, so that nothing new goes unruled. `tests/architecture` proves that each rule bites.
 */
const { readdirSync } = require('node:fs');

/** For each top-level folder, the public surfaces that it may import. */
const ARROWS = {
  // Goes into other teams' services, and takes types alone of their drivers: tests/architecture/guard.test.ts.
  guard: [],
  chassis: ['guard'],
  contracts: [],
  monolith: ['chassis', 'contracts'],
  extracted: ['chassis', 'contracts'],
  routing: ['chassis'],
  facade: ['chassis', 'contracts', 'routing'],
  // The supervisor for its command line alone.
  strangler: ['chassis', 'routing', 'supervisor'],
  // Types alone of what it is sent, and of code only words: tests/architecture/console.test.ts sees to that.
  console: ['chassis/text', 'facade/admin', 'strangler/engine'],
  migrations: ['strangler/mapping', 'chassis', 'contracts'],
  'contract-check': [
    'chassis',
    'contracts',
    'contracts/cases',
    'monolith',
    'extracted',
    'migrations',
    'routing',
  ],
  supervisor: ['chassis'],
  system: ['chassis', 'migrations', 'supervisor'],
  rehearsal: ['system', 'contracts', 'chassis', 'strangler', 'routing', 'mappings'],
  bench: [
    'system',
    'contracts',
    'chassis',
    'strangler',
    'routing',
    'mappings',
    'monolith',
    'migrations',
  ],
  tests: ['*'],
  // No sources: programs that stand alone, and prose.
  bin: [],
  scripts: [],
  deploy: [],
  docs: [],
  // Programs that stand alone, and configurations that import what a package's user does.
  examples: ['routing', 'strangler'],
};

/** What others see of a folder, as the path of the file that they may import. */
const SURFACES = {
  // What loads express, commander or a client of Redis stands apart: most programs need one of them.
  chassis: '^chassis/((web|redis|text|cli|logs|audit)/)?index\\.ts$',
  // Words alone, which a browser may have as well.
  'chassis/text': '^chassis/text/index\\.ts$',
  extracted: '^extracted/[^/]+/index\\.ts$',
  // Schemas and mappings apart: a service takes its schema without the engine behind a mapping.
  migrations: '^migrations/[^/]+/index\\.ts$',
  mappings: '^migrations/[^/]+/(mapping|translation)\\.ts$',
  'contracts/cases': '^contracts/cases/index\\.ts$',
  // What a mapping is made with, without the engine: every process that reads the configuration loads it.
  'strangler/mapping': '^strangler/mapping/index\\.ts$',
  // The names of the two sides alone: a mapping needs them, and no flags.
  routing: '^routing/(index|side)\\.ts$',
  // For the console, and for tests, which try what each server answers to.
  'strangler/engine': '^strangler/engine/index\\.ts$',
  'facade/admin': '^facade/admin/index\\.ts$',
  // The order of files of tests.
  scripts: '^scripts/(durations|suites)\\.js$',
  // What loads half of the system stands apart, so that a test of an algorithm starts at once, and so does what
  // only Jest can load.
  tests:
    '^tests/(support/(index|shop|move-rows|it-in-soak)|strangler/support/.*|model/(index|cohorts))\\.ts$',
};

const NOT_OURS = new Set(['node_modules', 'dist', 'coverage']);
const folders = readdirSync(process.cwd(), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
  .map((entry) => entry.name)
  .filter((name) => !NOT_OURS.has(name));

for (const folder of folders) {
  if (ARROWS[folder]) continue;
  throw new Error(`${folder}/ has no rule: say in .dependency-cruiser.cjs what it may import`);
}

const surface = (name) => SURFACES[name] ?? `^${name}/index\\.ts$`;
const within = (folder) => `^${folder}/`;
const ours = `^(${folders.join('|')})/`;
const everySurface = [...folders, ...Object.keys(SURFACES)].map(surface);
const TESTS = '/[^/]+\\.test\\.ts$';
/** Tests of the engine as a whole, and what its tests are made with: they know its inside. */
const ENGINE_TESTS = '^tests/(strangler|model)/';
/**
 * Folders that are never part of an image as they are: they may use development packages. The console is
 * built into files for a browser.
 */
const DEVELOPMENT = '^(tests|bench|console)/';
/** Where a process is put together: the only code that knows which migrations it runs. */
const COMPOSITION_ROOTS = '/(main|load)\\.ts$';

/** A folder imports its own files, and of others no more than the table grants. */
const arrows = folders.map((folder) => {
  const granted = ARROWS[folder].flatMap((name) => (name === '*' ? everySurface : surface(name)));
  return {
    name: `arrows-of-${folder}`,
    severity: 'error',
    comment: `${folder}/ imports ${ARROWS[folder].join(', ') || 'nothing of ours'}, by index.ts`,
    from: { path: within(folder), pathNot: [TESTS, COMPOSITION_ROOTS, ENGINE_TESTS] },
    to: { path: ours, pathNot: [within(folder), ...granted] },
  };
});

/** The same for mains, which also choose migrations, and for tests, which run what is real. */
const wider = (name, from, more) =>
  folders.map((folder) => ({
    name: `${name}-of-${folder}`,
    severity: 'error',
    comment: `the ${name} of ${folder}/ may import ${more.join(' and ')} beyond its arrows`,
    from: { path: [`^${folder}${from}`, `^${folder}/.*${from}`], pathNot: ENGINE_TESTS },
    to: {
      path: ours,
      pathNot: [
        within(folder),
        ...[...ARROWS[folder], ...more].flatMap((to) => (to === '*' ? everySurface : surface(to))),
      ],
    },
  }));

module.exports = {
  forbidden: [
    ...arrows,
    ...wider('mains', COMPOSITION_ROOTS, ['migrations']),
    ...wider('tests', TESTS, ['migrations', 'mappings', 'extracted', 'tests']),
    {
      name: 'services-apart',
      severity: 'error',
      comment: 'an extracted service knows no other; its tests may run one beside it',
      from: { path: '^extracted/([^/]+)/', pathNot: TESTS },
      to: { path: '^extracted/', pathNot: '^extracted/$1/' },
    },
    {
      name: 'services-without-engine',
      severity: 'error',
      comment: 'what outlives the migration must not need the engine, not even by way of others',
      from: { path: '^(monolith|extracted|chassis|contracts|guard)/', pathNot: TESTS },
      to: { path: '^strangler/', reachable: true },
    },
    {
      name: 'dialects-by-index',
      severity: 'error',
      comment: 'the engine knows no database: sides.ts opens what a URL names',
      from: { path: '^strangler/', pathNot: ['^strangler/(dialects/|sides/sides\\.ts$)', TESTS] },
      to: { path: '^strangler/dialects/' },
    },
    {
      name: 'dialects-apart',
      severity: 'error',
      comment: 'what two dialects share is in strangler/ledger, or in the engine',
      from: { path: '^strangler/dialects/([^/]+)/' },
      to: { path: '^strangler/dialects/', pathNot: '^strangler/dialects/$1/' },
    },
    {
      name: 'doctor-by-index',
      severity: 'error',
      comment: 'the engine has the doctor look and mend, whatever is inside of it',
      from: { path: '^strangler/engine/', pathNot: TESTS },
      to: { path: '^strangler/doctor/', pathNot: '^strangler/doctor/index\\.ts$' },
    },
    {
      name: 'doctor-without-engine',
      severity: 'error',
      comment: 'the doctor goes by the databases alone: no engine may be there',
      from: { path: '^strangler/doctor/', pathNot: TESTS },
      to: { path: '^strangler/engine/' },
    },
    {
      name: 'text-alone',
      severity: 'error',
      comment: 'a browser gets these words: they need nothing, neither of ours nor of Node',
      from: { path: '^chassis/text/', pathNot: TESTS },
      to: { pathNot: '^chassis/text/' },
    },
    {
      name: 'supervisor-by-commands',
      severity: 'error',
      comment: 'fig up starts an engine; the engine starts nothing',
      from: { path: '^strangler/', pathNot: ['^strangler/cli/', TESTS] },
      to: { path: '^supervisor/' },
    },
    {
      name: 'modules-by-index',
      severity: 'error',
      comment: 'a module of the monolith is used through its index.ts only, also for reads',
      from: { path: '^monolith/([^/]+)(/|\\.ts$)' },
      to: { path: '^monolith/[^/]+/', pathNot: ['^monolith/$1/', '^monolith/[^/]+/index\\.ts$'] },
    },
    {
      name: 'config-composes',
      severity: 'error',
      comment:
        'fig.config.ts says what moves, index.ts what it is written with: mappings, contracts and the engine, no application',
      from: { path: '^[^/]+\\.(ts|js)$' },
      to: {
        path: ours,
        pathNot: [
          'chassis',
          'contracts',
          'strangler',
          'strangler/mapping',
          'routing',
          'mappings',
        ].map(surface),
      },
    },
    {
      name: 'scripts-alone',
      severity: 'error',
      comment:
        'scripts run before anything is installed: they use Node and each other; ' +
        'sql.js is run by hand, afterwards',
      from: { path: '^scripts/', pathNot: '^scripts/sql\\.js$' },
      to: { dependencyTypesNot: ['core'], pathNot: ['^scripts/', '^package\\.json$'] },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'of two files that import each other none can be understood, or moved, alone',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-development-packages',
      severity: 'error',
      comment: 'what runs in production must be installed there',
      from: { pathNot: [TESTS, DEVELOPMENT] },
      // A peer that a system on PostgreSQL does without is installed for our own tests, too.
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm-peer'] },
    },
    {
      name: 'production-without-tests',
      severity: 'error',
      comment: 'what runs in production is not made with tests, which may need anything',
      from: { pathNot: [TESTS, DEVELOPMENT] },
      to: { path: [TESTS, DEVELOPMENT] },
    },
    {
      name: 'nothing-unresolved',
      severity: 'error',
      comment: 'an import that leads nowhere, or to a package that package.json does not name',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    // Its parser knows no JSX: tests/architecture/console.test.ts reads these.
    exclude: { path: ['^dist/', '^tests/architecture/fixtures/', '^console/.*\\.tsx$'] },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js', '.cjs', '.mjs', '.json'],
    },
  },
};
