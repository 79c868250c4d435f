import { startSystem, withoutSystem } from '../../system/index.ts';
import type { StartOptions, System } from '../../system/index.ts';
import { showOnFailure } from './on-failure.ts';
import { temporaryDir } from './temp-dir.ts';

export type SystemOptions = Partial<StartOptions> & {
  /** Variables on top of a clean environment. */
  readonly variables?: Readonly<Record<string, string>>;
};

interface OpenedSystem {
  readonly system: System;
  /** Stops it, and removes its folder. */
  close(): Promise<void>;
}

/**
 * Starts a system on free ports and in a new folder, for several tests. It runs what `npm run build` has
 * made. When a test fails, it prints what every process logged last.
 */
export async function openSystem({
  variables = {},
  ...options
}: SystemOptions = {}): Promise<OpenedSystem> {
  const folder = await temporaryDir();
  try {
    const system = showOnFailure(
      await startSystem({
        dataDir: folder.path,
        ports: 'free',
        env: { ...withoutSystem(process.env), FIG_CONTRACT: 'off', ...variables },
        ...options,
      }),
    );
    const close = async (): Promise<void> => {
      try {
        await system.stop();
      } finally {
        await folder.remove();
      }
    };
    return { system, close };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

/** Gives `use` a system of its own, as `openSystem` starts it, and stops it afterwards. */
export async function withSystem<T>(
  options: SystemOptions,
  use: (system: System) => Promise<T>,
): Promise<T> {
  const { system, close } = await openSystem(options);
  try {
    return await use(system);
  } finally {
    await close();
  }
}
