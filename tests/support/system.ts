import { startSystem, withoutSystem } from '../../system/index.ts';
import type { StartOptions, System } from '../../system/index.ts';
import { showOnFailure } from './on-failure.ts';
import { withTempDir } from './temp-dir.ts';

export type SystemOptions = Partial<StartOptions> & {
  /** Variables on top of a clean environment. */
  readonly variables?: Readonly<Record<string, string>>;
};

/**
 * Gives `use` a system of its own, on free ports and in a new folder, and stops it afterwards. It
 * runs what `npm run build` has made. When the test fails, it prints what every process logged last.
 */
export function withSystem<T>(
  { variables = {}, ...options }: SystemOptions,
  use: (system: System) => Promise<T>,
): Promise<T> {
  return withTempDir(async (dataDir) => {
    const system = showOnFailure(
      await startSystem({
        dataDir,
        ports: 'free',
        env: { ...withoutSystem(process.env), FIG_CONTRACT: 'off', ...variables },
        ...options,
      }),
    );
    try {
      return await use(system);
    } finally {
      await system.stop();
    }
  });
}
