import type { EventEmitter } from 'node:events';
import { join } from 'node:path';
import type { Unleash, UnleashConfig } from 'unleash-client';
import { dataDirectory } from '../../chassis/index.ts';
import type { Environment, Logger } from '../../chassis/index.ts';
import type { Feature } from './flag-file.ts';
import { bucketOf, createFlagFile, shareOf } from './flag-file.ts';
import { FlagFileRepository } from './flag-repository.ts';

/** What the operator asks for. Flags are intent, fences are truth: a stale flag is never wrong. */
export interface Flags {
  /** Where the flags are kept, for messages. */
  readonly source: string;
  /** Whether they have been read at all; until then every flag is off, and that means nothing. */
  loaded(): boolean;
  /** Whether a flag is on; with a customer, whether it is on for this one. */
  isEnabled(flag: string, context?: { readonly userId?: string }): boolean;
  /** Whether a flag is off for everybody, whatever its strategies say. */
  isOff(flag: string): boolean;
  /** The share of customers a flag is on for, 0..100. */
  share(flag: string): number;
  /** Which of a hundred parts a customer falls into: in the share if that is as large; 1..100. */
  bucket(flag: string, userId: string): number | undefined;
  /** Calls back after each change; returns how to stop it. */
  onChange(listener: () => void): () => void;
  close(): void;
}

/** Where the embedded flag file is. */
export function flagsFile(env: Environment): string {
  return env['FIG_FLAGS_FILE'] || join(dataDirectory(env), 'flags.json');
}

interface FlagsOptions {
  readonly env: Environment;
  /** The process that asks, as an Unleash server shows it. */
  readonly appName: string;
  readonly capabilities: readonly string[];
  readonly log: Logger;
}

/**
 * Opens the flags: an Unleash server when UNLEASH_URL names one, else the flag file, which is made
 * with every flag off when it is missing. Unleash away at the start: off; away later: last known.
 */
export async function openFlags(options: FlagsOptions): Promise<Flags> {
  return options.env['UNLEASH_URL'] ? openServerFlags(options) : openFileFlags(options);
}

async function openFileFlags({ env, appName, capabilities, log }: FlagsOptions): Promise<Flags> {
  const file = flagsFile(env);
  await createFlagFile(file, capabilities);
  const repository = new FlagFileRepository(file, log);
  // Not with the module: the command line seldom needs it, and it takes a while to load.
  const { Unleash: Client } = await import('unleash-client');
  const client = new Client({
    appName,
    url: 'http://flag-file.invalid',
    disableMetrics: true,
    disableAutoStart: true,
    skipInstanceCountWarning: true,
    repository: repository as unknown as NonNullable<UnleashConfig['repository']>,
  });
  return started(client, file, () => repository.loaded, log);
}

async function openServerFlags({ env, appName, log }: FlagsOptions): Promise<Flags> {
  const url = env['UNLEASH_URL'] ?? '';
  const token = env['UNLEASH_TOKEN'];
  const { InMemStorageProvider, Unleash: Client } = await import('unleash-client');
  const client = new Client({
    appName,
    url,
    refreshInterval: 1_000,
    disableAutoStart: true,
    skipInstanceCountWarning: true,
    // No backup from an earlier life: without an answer of this server every flag is off.
    storageProvider: new InMemStorageProvider(),
    ...(token === undefined ? {} : { customHeaders: { Authorization: token } }),
  });
  let answered = false;
  client.on('changed', () => (answered = true));
  return started(client, url, () => answered, log);
}

async function started(
  client: Unleash,
  source: string,
  loaded: () => boolean,
  log: Logger,
): Promise<Flags> {
  client.on('error', (error: Error) => log.warn({ reason: error.message }, 'flags: an error'));
  client.on('warn', (message: unknown) => log.debug({ reason: String(message) }, 'flags'));
  await client.start();
  return {
    source,
    loaded,
    isEnabled: (flag, context = {}) => client.isEnabled(flag, { ...context }, false),
    isOff: (flag) => client.getFeatureToggleDefinition(flag)?.enabled !== true,
    share: (flag) => shareOf(client.getFeatureToggleDefinition(flag) as Feature | undefined),
    bucket: (flag, userId) =>
      bucketOf(client.getFeatureToggleDefinition(flag) as Feature | undefined, userId),
    onChange(listener) {
      client.on('changed', listener);
      return () => client.off('changed', listener);
    },
    close() {
      client.destroy();
      // It drops its listeners even while a request is under way, whose failure would then be an
      // 'error' event that nobody listens to, and the end of the process.
      const { repository } = client as unknown as { repository: EventEmitter };
      repository.on('error', () => undefined);
    },
  };
}
