import { flagsOf, isSwitch, openFlagStore } from '../../routing/index.ts';
import type { FlagStore } from '../../routing/index.ts';
import type { Context } from '../context.ts';
import { CommandError, EXIT } from '../exit.ts';
import { table } from '../format.ts';
import { step } from '../next-step.ts';
import type { Output } from '../output.ts';
import { readFlags } from '../read-flags.ts';
import { known } from '../suggest.ts';

/** Shows all flags of the capabilities, with what they ask for. */
export async function showFlags(context: Context, output: Output): Promise<void> {
  const { source, share } = await readFlags(context);
  const flags = Object.fromEntries(
    context.capabilities.flatMap(flagsOf).map((flag) => [flag, share(flag)]),
  );
  output.result({ source, flags }, () =>
    table(Object.entries(flags).map(([flag, set]) => [flag, valueText(flag, set)])),
  );
}

interface FlagWords {
  readonly name: string;
  readonly value: string;
  readonly dryRun: boolean;
}

/** Sets one flag; the running system sees it within a moment. */
export async function setFlag(
  context: Context,
  output: Output,
  { name, value, dryRun }: FlagWords,
): Promise<void> {
  const flag = known('flag', name, context.capabilities.flatMap(flagsOf));
  const change = await changeFlag(context, flag, shareFrom(flag, value), dryRun);
  const capability = flag.split('.')[0] ?? '';
  const asks = isSwitch(flag) && capability in context.declarations;
  const next = asks ? [step('fig status', 'tells whether the handover is safe yet')] : [];
  output.result(
    change,
    () => {
      if (!asks || dryRun) return changeText(change);
      const owner = change.share > 0 ? 'extracted' : 'legacy';
      return `${changeText(change)}: ${owner} is to own ${capability}, as soon as that is safe\nnext: fig status`;
    },
    next,
  );
}

/** A flag that was set, or would be. */
export interface FlagChange {
  readonly outcome: 'set' | 'planned';
  readonly flag: string;
  readonly before: number;
  readonly share: number;
  /** The flag file, or the server's address. */
  readonly source: string;
}

/** Sets a flag, or only says what that would change.
 * @throws CommandError, FlagFileError, FlagServerError
 */
export async function changeFlag(
  context: Context,
  flag: string,
  share: number,
  dryRun: boolean,
): Promise<FlagChange> {
  const store = storeOf(context);
  const before = await store.share(flag);
  if (!dryRun) await store.set({ [flag]: share });
  const { source } = store;
  return { outcome: dryRun ? 'planned' : 'set', flag, before, share, source };
}

export function changeText({ outcome, flag, before, share, source }: FlagChange): string {
  if (outcome === 'set') return `${flag} is ${valueText(flag, share)}`;
  const [from, to] = [valueText(flag, before), valueText(flag, share)];
  return `${flag} would go from ${from} to ${to} in ${source}`;
}

function storeOf({ env, capabilities }: Context): FlagStore {
  const store = openFlagStore(env, capabilities);
  if (store) return store;
  throw new CommandError(
    EXIT.failed,
    'flags_kept_elsewhere',
    `the flags are kept by the Unleash server at ${env['UNLEASH_URL']}; change them there, or give UNLEASH_ADMIN_TOKEN`,
  );
}

/** A value as it may be given for a flag, as a share. @throws CommandError */
export function shareFrom(flag: string, value: string): number {
  const words: Readonly<Record<string, number>> = { on: 100, off: 0 };
  const word = words[value.toLowerCase()];
  if (word !== undefined) return word;
  const share = Number(value.replace(/ ?%$/, ''));
  const allowed = isSwitch(flag) ? [0, 100].includes(share) : share >= 0 && share <= 100;
  if (value.trim() !== '' && Number.isInteger(share) && allowed) return share;
  const wanted = isSwitch(flag) ? 'on or off' : 'a whole share from 0 to 100, on or off';
  throw new CommandError(
    EXIT.usage,
    'bad_value',
    `"${value}" is no value of ${flag}; give ${wanted}`,
  );
}

function valueText(flag: string, share: number): string {
  if (isSwitch(flag)) return share > 0 ? 'on' : 'off';
  return `${share} %`;
}
