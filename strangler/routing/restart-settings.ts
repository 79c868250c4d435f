import type { FigConfig } from './config.ts';

/** Settings that a running facade does not take over. */
const AT_START: Readonly<Record<string, (config: FigConfig) => unknown>> = {
  'limits.headersMs': ({ limits }) => limits.headersMs,
  flagsFile: ({ flagsFile }) => flagsFile,
  contractFile: ({ contractFile }) => contractFile,
};

/** Names of the settings that have changed and count from the next start on. */
export function restartSettings(before: FigConfig, after: FigConfig): readonly string[] {
  return Object.entries(AT_START)
    .filter(([, read]) => read(before) !== read(after))
    .map(([name]) => name);
}
