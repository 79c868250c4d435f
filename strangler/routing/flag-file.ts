import { link, mkdir, open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { normalizedStrategyValue } from 'unleash-client/lib/strategy/util.js';
import { z } from 'zod';

const feature = z.looseObject({
  name: z.string().min(1),
  enabled: z.boolean(),
  strategies: z
    .array(
      z.looseObject({
        name: z.string(),
        parameters: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
      }),
    )
    .optional(),
});

const schema = z.looseObject({
  version: z.number(),
  features: z.array(feature),
  segments: z.array(z.looseObject({ id: z.number() })).optional(),
});

/** Flags in the format of Unleash's client features API; what we don't know is kept as it is. */
export type FlagDocument = z.output<typeof schema>;
export type Feature = z.output<typeof feature>;

/** A flag file that can't be used: what is wrong with it, and where. */
export class FlagFileError extends Error {
  override readonly name = 'FlagFileError';
}

/** @throws FlagFileError when the text is not JSON, or not in the client features format */
export function parseFlags(text: string): FlagDocument {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FlagFileError(`it is not JSON: ${(error as Error).message}`, { cause: error });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new FlagFileError(`it is not in the client features format: ${problems.join('; ')}`);
}

/** What a flag takes: `.writes` asks for an owner, on or off; the others take a share. */
export function isSwitch(flag: string): boolean {
  return flag.endsWith('.writes');
}

/** The flags of a capability. */
export function flagsOf(capability: string): readonly string[] {
  return ['shadow', 'reads', 'writes'].map((kind) => `${capability}.${kind}`);
}

/** What Unleash calls the purpose of a flag. */
export function typeOf(flag: string): string {
  return isSwitch(flag) ? 'operational' : 'release';
}

/** Whom a flag is on for: everybody, or a share (0..100) of customers, each always the same answer. */
export function strategyOf(
  flag: string,
  share: number,
): { name: string; parameters: Record<string, string> } {
  if (isSwitch(flag)) return { name: 'default', parameters: {} };
  const parameters = { rollout: String(share), stickiness: 'userId', groupId: flag };
  return { name: 'flexibleRollout', parameters };
}

function toFeature(flag: string, share: number, known: Feature | undefined): Feature {
  const strategies = [strategyOf(flag, share)];
  return { type: typeOf(flag), ...known, name: flag, enabled: share > 0, strategies };
}

/** The share of customers that a feature is on for, 0..100, as far as its strategies tell. */
export function shareOf(known: Feature | undefined): number {
  if (!known?.enabled) return 0;
  if (!known.strategies || known.strategies.length === 0) return 100;
  return Math.max(
    ...known.strategies.map(({ name, parameters }) => {
      if (name === 'default') return 100;
      const share = Number(parameters?.['rollout'] ?? parameters?.['percentage'] ?? 0);
      return Number.isFinite(share) ? Math.min(100, Math.max(0, share)) : 0;
    }),
  );
}

/**
 * Where a customer stands among a hundred: a feature that goes by shares is on for whoever stands at
 * or below its share.
 * @returns 1..100; undefined where the feature does not go by shares of customers
 */
export function bucketOf(known: Feature | undefined, userId: string): number | undefined {
  const { parameters } = known?.strategies?.find(({ name }) => name === 'flexibleRollout') ?? {};
  const stickiness = parameters?.['stickiness'] ?? 'default';
  if (!known || !parameters || !['default', 'userId'].includes(String(stickiness)))
    return undefined;
  return normalizedStrategyValue(userId, String(parameters['groupId'] || known.name));
}

/** Flags of these capabilities, all off. */
export function defaultFlags(capabilities: readonly string[]): FlagDocument {
  const features = capabilities.flatMap(flagsOf).map((flag) => toFeature(flag, 0, undefined));
  return { version: 2, features };
}

async function writeBeside(file: string, document: FlagDocument): Promise<string> {
  const temporary = join(dirname(file), `.flags-${randomUUID()}.tmp`);
  const handle = await open(temporary, 'wx');
  try {
    await handle.writeFile(`${JSON.stringify(document, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return temporary;
}

/** Makes the file with all flags off when it is missing; processes that start together may race. */
export async function createFlagFile(file: string, capabilities: readonly string[]): Promise<void> {
  if (await stat(file).catch(() => undefined)) return;
  await mkdir(dirname(file), { recursive: true });
  const temporary = await writeBeside(file, defaultFlags(capabilities));
  try {
    // Unlike a rename, a link never replaces what another process has just made.
    await link(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(temporary);
  }
}

/** @throws FlagFileError when it is damaged */
export async function readFlagFile(file: string): Promise<FlagDocument> {
  return parseFlags(await readFile(file, 'utf8'));
}

const LOCK_STALE_MS = 3_000;

/** One writer at a time, so that two who change different flags both succeed. */
async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const lock = `${file}.lock`;
  for (;;) {
    try {
      await (await open(lock, 'wx')).close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const { mtimeMs } = (await stat(lock).catch(() => undefined)) ?? { mtimeMs: Date.now() };
      // Writing takes milliseconds: whoever holds it that long has died.
      if (Date.now() - mtimeMs > LOCK_STALE_MS) await unlink(lock).catch(() => undefined);
      await delay(5);
    }
  }
  try {
    return await work();
  } finally {
    await unlink(lock).catch(() => undefined);
  }
}

/**
 * Sets flags in the file, all in one atomic change that keeps every flag not named.
 * @param shares flag -> share 0..100; a switch is on above 0
 * @throws FlagFileError when the file is damaged: it is left as it is
 */
export async function setFlags(
  file: string,
  shares: Readonly<Record<string, number>>,
): Promise<void> {
  await withLock(file, async () => {
    const document = await readFlagFile(file);
    const features = new Map(document.features.map((known) => [known.name, known]));
    for (const [flag, share] of Object.entries(shares)) {
      features.set(flag, toFeature(flag, share, features.get(flag)));
    }
    const temporary = await writeBeside(file, { ...document, features: [...features.values()] });
    await rename(temporary, file);
  });
}
