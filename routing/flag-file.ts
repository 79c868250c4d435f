import { link, mkdir, open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { normalizedStrategyValue } from 'unleash-client/lib/strategy/util.js';
import { z } from 'zod';
import { boundedTexts, withFileLock } from '../chassis/index.ts';
import { repeatedKeys } from './repeated-keys.ts';

const parameter = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const constraint = z.looseObject({
  contextName: z.string(),
  operator: z.string(),
  inverted: z.boolean().nullish(),
  value: parameter.optional(),
  values: z.array(parameter).nullish(),
});

/** One of a flag's strategies: whom it is on for. */
export const strategySchema = z.looseObject({
  name: z.string(),
  parameters: z.record(z.string(), parameter).nullish(),
  constraints: z.array(constraint).nullish(),
  segments: z.array(z.number()).nullish(),
  variants: z.array(z.unknown()).nullish(),
  disabled: z.boolean().nullish(),
});

const feature = z.looseObject({
  name: z.string().min(1),
  enabled: z.boolean(),
  strategies: z.array(strategySchema).nullish(),
  /** Flags that have to be on, or off, for this one to be on. */
  dependencies: z.array(z.looseObject({ feature: z.string() })).nullish(),
});

const schema = z.looseObject({
  version: z.number(),
  features: z.array(feature),
  segments: z.array(z.looseObject({ id: z.number() })).optional(),
});

/** Flags in the format of Unleash's client features API; what we don't know is kept as it is. */
export type FlagDocument = z.output<typeof schema>;
export type Feature = z.output<typeof feature>;
export type Strategy = z.output<typeof strategySchema>;

/** A flag file that can't be used: what is wrong with it, and where. */
export class FlagFileError extends Error {
  override readonly name = 'FlagFileError';
}

/**
 * @throws FlagFileError when the text is not JSON, or not in the client features format, or says something
 *   twice: of two that differ the engine can't tell which was meant
 */
export function parseFlags(text: string): FlagDocument {
  if (text.trim() === '') throw new FlagFileError('it is empty');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FlagFileError(`it is not JSON: ${(error as Error).message}`, { cause: error });
  }
  const repeated = repeatedKeys(text);
  if (repeated.length > 0) {
    throw new FlagFileError(
      `it names ${listed(repeated)} twice within one object; keep one of them`,
    );
  }
  return checkFlags(value);
}

function listed(names: readonly string[]): string {
  return boundedTexts(names).join(', ');
}

function refuseRepeatedFlags({ features }: FlagDocument): void {
  const seen = new Set<string>();
  const repeated = features
    .map(({ name }) => name)
    .filter((name) => seen.has(name) || !seen.add(name));
  if (repeated.length === 0) return;
  const names = listed([...new Set(repeated)]);
  throw new FlagFileError(`it holds the flag ${names} more than once; keep one of them`);
}

/** @throws FlagFileError when the value is not in the client features format, or holds a flag twice */
export function checkFlags(value: unknown): FlagDocument {
  const result = schema.safeParse(value);
  if (result.success) {
    refuseRepeatedFlags(result.data);
    return result.data;
  }
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  const told = boundedTexts(problems).join('; ');
  throw new FlagFileError(`it is not in the client features format: ${told}`);
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

/** Off leaves the strategies as they are: a person finds them again. */
function toFeature(flag: string, share: number, known: Feature | undefined): Feature {
  const kept = share === 0 ? known?.strategies : undefined;
  // Those that are turned off say nothing, and may be wanted again.
  const resting = (known?.strategies ?? []).filter(({ disabled }) => disabled === true);
  const strategies = kept ?? [strategyOf(flag, share), ...resting];
  return { type: typeOf(flag), ...known, name: flag, enabled: share > 0, strategies };
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

/**
 * Makes the file with these flags off, unless there is one. Only somebody who knows that there never
 * was one may: a file that was lost had more to say.
 * @returns whether it was made; processes that try together may race
 */
export async function createFlagFile(file: string, flags: readonly string[]): Promise<boolean> {
  await mkdir(dirname(file), { recursive: true });
  const features = flags.map((flag) => toFeature(flag, 0, undefined));
  const temporary = await writeBeside(file, { version: 2, features });
  try {
    // Unlike a rename, a link never replaces what another process has just made.
    await link(temporary, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    await unlink(temporary);
  }
}

/** @throws FlagFileError when it is missing or damaged */
export async function readFlagFile(file: string): Promise<FlagDocument> {
  try {
    return parseFlags(await readFile(file, 'utf8'));
  } catch (error) {
    throw new FlagFileError(`${reasonOf(error)} (${file})`, { cause: error });
  }
}

/** Why a flag file can't be read, in words. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'it is missing; fig flags init makes one, its flags off';
  return message;
}

/**
 * Sets flags in the file, all in one atomic change that keeps every flag not named.
 * @param shares flag -> share 0..100; a switch is on above 0
 * @throws FlagFileError when the file is missing or damaged: it is left as it is
 */
export async function setFlags(
  file: string,
  shares: Readonly<Record<string, number>>,
): Promise<void> {
  await readFlagFile(file);
  // One writer at a time, so that two who change different flags both succeed.
  await withFileLock(`${file}.lock`, async () => {
    const document = await readFlagFile(file);
    const features = new Map(document.features.map((known) => [known.name, known]));
    for (const [flag, share] of Object.entries(shares)) {
      features.set(flag, toFeature(flag, share, features.get(flag)));
    }
    const temporary = await writeBeside(file, { ...document, features: [...features.values()] });
    await rename(temporary, file);
  });
}
