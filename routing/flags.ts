import { join } from 'node:path';
import type { RepositoryInterface } from 'unleash-client/lib/repository/index.js';
import { dataDirectory } from '../chassis/index.ts';
import type { Environment, Logger } from '../chassis/index.ts';
import type { FigConfig } from './config.ts';
import { DRAW } from './flag-context.ts';
import type { FlagContext } from './flag-context.ts';
import type { Feature } from './flag-file.ts';
import { bucketOf, flagsOf, isSwitch } from './flag-file.ts';
import { FlagFileRepository } from './flag-repository.ts';
import { readSwitch, ruleOf } from './flag-rule.ts';
import type { FlagRule, SwitchReading } from './flag-rule.ts';
import type { FlagsState, Legibility } from './legibility.ts';

/** What the operator asks for. Flags are intent, fences are truth: a stale flag is never wrong. */
export interface Flags {
  /** Where the flags are kept, whether they were ever read, and why they can't be read now. */
  state(): FlagsState;
  /** Whether a flag is on; with a customer, whether it is on for this one. */
  isEnabled(flag: string, context?: FlagContext): boolean;
  /** Whether a flag is off for everybody, whatever its strategies say. */
  isOff(flag: string): boolean;
  /** Whom a flag is on for, by its definition. */
  rule(flag: string): FlagRule;
  /** What a switch asks for; nothing while the flags have not been read in full. */
  switch(flag: string): SwitchReading;
  /** What a switch asked for last; undefined while it never has. */
  lastAsked(flag: string): boolean | undefined;
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

/** The environment with the flag file that a configuration names, where nothing else names one. */
export function withFlagsFile(
  env: Environment,
  { flagsFile: named }: Pick<FigConfig, 'flagsFile'>,
): Environment {
  return env['FIG_FLAGS_FILE'] || !named ? env : { ...env, FIG_FLAGS_FILE: named };
}

interface FlagsOptions {
  readonly env: Environment;
  /** The process that asks, as an Unleash server shows it. */
  readonly appName: string;
  readonly capabilities: readonly string[];
  readonly log: Logger;
}

type Source = RepositoryInterface & { readonly legibility: Legibility };

/**
 * Opens the flags: an Unleash server when UNLEASH_URL names one, else the flag file. Until they have
 * been read in full they ask for nothing; away later, the last known stay in force.
 */
export async function openFlags({ env, appName, capabilities, log }: FlagsOptions): Promise<Flags> {
  const url = env['UNLEASH_URL'];
  const wanted = capabilities.flatMap(flagsOf);
  const repository = url
    ? await serverRepository(url, env['UNLEASH_TOKEN'], appName, log)
    : (new FlagFileRepository(flagsFile(env), wanted, log) as unknown as Source);
  // Not with the module: the command line seldom needs it, and it takes a while to load.
  const { Unleash: Client } = await import('unleash-client');
  const { drawnStrategies: strategies } = await import('./drawn-strategies.ts');
  const client = new Client({
    appName,
    strategies,
    url: url || 'http://flag-file.invalid',
    disableMetrics: !url,
    disableAutoStart: true,
    skipInstanceCountWarning: true,
    repository,
    ...(env['UNLEASH_TOKEN'] ? { customHeaders: { Authorization: env['UNLEASH_TOKEN'] } } : {}),
  });
  client.on('error', (error: Error) => log.debug({ reason: error.message }, 'flags: an error'));
  client.on('warn', (message: unknown) => log.debug({ reason: String(message) }, 'flags'));
  await client.start();
  const definition = (flag: string): Feature | undefined =>
    repository.getToggle(flag) as Feature | undefined;
  const asked = new Map<string, boolean>();
  const switches = new Set(wanted.filter(isSwitch));
  const flags: Flags = {
    state: () => repository.legibility.state,
    isEnabled(flag, { userId, draw } = {}) {
      const asker = userId === undefined ? { [DRAW]: draw } : { userId };
      return client.isEnabled(flag, asker, false);
    },
    isOff: (flag) => definition(flag)?.enabled !== true,
    rule: (flag) => ruleOf(definition(flag)),
    switch(flag) {
      // A configuration that has changed may bring capabilities along.
      if (!switches.has(flag)) {
        switches.add(flag);
        look();
      }
      return switchOf(flags, flag);
    },
    lastAsked: (flag) => asked.get(flag),
    bucket: (flag, userId) => bucketOf(definition(flag), userId),
    onChange(listener) {
      client.on('changed', listener);
      return () => client.off('changed', listener);
    },
    close() {
      client.destroy();
      // It drops its listeners even while a request is under way, whose failure would then be an
      // 'error' event that nobody listens to, and the end of the process.
      repository.on('error', () => undefined);
    },
  };
  const look = watchSwitches(flags, { switches, asked, log });
  return flags;
}

async function serverRepository(
  url: string,
  token: string | undefined,
  appName: string,
  log: Logger,
): Promise<Source> {
  const { ServerRepository } = await import('./server-repository.ts');
  return new ServerRepository({ url, token: token || undefined, appName, log });
}

function switchOf(flags: Flags, flag: string): SwitchReading {
  const { read } = flags.state();
  if (read) return readSwitch(flags.rule(flag));
  return { on: null, refused: 'the flags were never read', made: true };
}

interface SwitchWatch {
  readonly switches: ReadonlySet<string>;
  /** By flag, what it asked for last. */
  readonly asked: Map<string, boolean>;
  readonly log: Logger;
}

/**
 * Keeps what switches asked for last, and says it once when one asks for nothing any more.
 * @returns how to look at once, when there are more switches
 */
function watchSwitches(flags: Flags, { switches, asked, log }: SwitchWatch): () => void {
  const said = new Map<string, string | null>();
  const look = (): void => {
    if (!flags.state().read) return;
    for (const flag of switches) {
      const { on, refused, made } = switchOf(flags, flag);
      if (on !== null) asked.set(flag, on);
      if (!made || (said.get(flag) ?? null) === refused) continue;
      said.set(flag, refused);
      if (refused !== null)
        log.warn({ flag, reason: refused }, 'a switch asks for nothing: the owner stays');
    }
  };
  // Before all other listeners, who may ask.
  flags.onChange(look);
  look();
  return look;
}
