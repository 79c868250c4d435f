/** Jest runs the TypeScript sources as ES modules; swc strips the types. */
export default {
  // Node, and failures that say how to run the test again.
  testEnvironment: '<rootDir>/tests/support/environment.js',
  setupFilesAfterEnv: process.env.FAST_CHECK_SEED ? ['<rootDir>/tests/support/replay.js'] : [],
  // In the folder, where it is cleared with it, and not with the rest of a run.
  cacheDirectory: '<rootDir>/.cache/jest',
  roots: ['<rootDir>'],
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '/.fig/'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.fig/', '<rootDir>/.cache/'],
  testSequencer: '<rootDir>/tests/longest-first.js',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  // A system is seven processes: on a busy machine they take their time to start.
  testTimeout: 90_000,
};
