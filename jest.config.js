/** Jest runs the TypeScript sources as ES modules; swc strips the types. */
export default {
  testEnvironment: 'node',
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
