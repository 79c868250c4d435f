import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { errorText } from '../chassis/index.ts';
import type { Environment, Logger } from '../chassis/index.ts';
import type { FigConfig } from './config.ts';
import { configFile } from './find-config.ts';
import { loadConfig } from './load-config.ts';
import { restartSettings } from './restart-settings.ts';
import type { ConfiguredProcess, RestartSettings } from './restart-settings.ts';

/** Some file systems give no notice of changes; reading this often is the safety net. */
const POLL_MS = 1_000;
/** Editors write in several steps. */
const SETTLE_MS = 30;

interface WatchOptions {
  /** Who watches. The facade says what it takes for others, too; the others speak for themselves. */
  readonly process: ConfiguredProcess;
  /** The configuration that the process has started with. */
  readonly config: FigConfig;
  readonly env: Environment;
  readonly log: Logger;
  /** Takes over what the configuration has become; called again only when this has resolved. */
  readonly adopt?: (config: FigConfig) => Promise<void>;
}

/**
 * Follows the configuration's file. One that can't be used is complained about, and changes nothing.
 * What a module imports is not followed.
 * @returns how to stop
 */
export function watchConfig({ process, config: first, env, log, adopt }: WatchOptions): () => void {
  const file = configFile(env);
  let last = first;
  let known: string | undefined;
  let stopped = false;
  let pending: NodeJS.Timeout | undefined;
  let work: Promise<void> = remember();
  const watcher = watchFolder(file, () => {
    clearTimeout(pending);
    pending = setTimeout(check, SETTLE_MS);
  });
  const timer = setInterval(check, POLL_MS).unref();
  return () => {
    stopped = true;
    clearTimeout(pending);
    clearInterval(timer);
    watcher?.close();
  };

  async function remember(): Promise<void> {
    known = await read();
  }

  function check(): void {
    work = work.then(reload).catch((error: unknown) => {
      const reason = errorText(error);
      log.error({ file, reason }, 'the changed configuration is not used; the last one stays');
    });
  }

  async function reload(): Promise<void> {
    const text = await read();
    if (stopped || text === undefined || text === known) return;
    known = text;
    const config = await loadConfig(env);
    await adopt?.(config);
    const before = last;
    last = config;
    const restart = { ...others(before, config), ...own(config) };
    if (Object.keys(restart).length > 0)
      log.warn({ file, restart }, 'the configuration has changed; some of it needs a restart');
    else if (adopt) log.info({ file }, 'the configuration has changed, and is in use');
  }

  /** Since this process has started. */
  function own(config: FigConfig): RestartSettings {
    const { [process]: names } = restartSettings(first, config);
    return names === undefined ? {} : { [process]: names };
  }

  /** Since the last change only: when they have started is not known here. */
  function others(before: FigConfig, config: FigConfig): RestartSettings {
    if (process !== 'facade') return {};
    const { facade: _own, ...rest } = restartSettings(before, config);
    return rest;
  }

  function read(): Promise<string | undefined> {
    return readFile(file, 'utf8').catch(() => undefined);
  }
}

/** The folder, not the file: an atomic rename puts another file in its place. */
function watchFolder(file: string, changed: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(dirname(file), { persistent: false }, (_event, name) => {
      if (name === null || name === basename(file)) changed();
    });
    // The safety net is still there.
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
