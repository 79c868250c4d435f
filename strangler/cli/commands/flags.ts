import { CommandError, EXIT } from '../exit.ts';
import {
  createFlagFile,
  flagsFile,
  flagsOf,
  isSwitch,
  readFlagFile,
  setFlags,
  shareOf,
} from '../../routing/index.ts';
import type { Context } from '../context.ts';
import { table } from '../format.ts';
import type { Output } from '../output.ts';
import { known } from '../suggest.ts';

/** Shows all flags of the capabilities, with what they ask for. */
export async function showFlags(context: Context, output: Output): Promise<void> {
  const file = fileOf(context);
  await createFlagFile(file, context.capabilities);
  const features = new Map((await readFlagFile(file)).features.map((one) => [one.name, one]));
  const flags = Object.fromEntries(
    context.capabilities.flatMap(flagsOf).map((flag) => [flag, shareOf(features.get(flag))]),
  );
  output.result({ file, flags }, () =>
    table(Object.entries(flags).map(([flag, share]) => [flag, valueText(flag, share)])),
  );
}

/** Sets one flag; the running system sees it within a moment. */
export async function setFlag(
  context: Context,
  output: Output,
  name: string,
  value: string,
): Promise<void> {
  const flag = known('flag', name, context.capabilities.flatMap(flagsOf));
  const share = shareFrom(flag, value);
  const file = fileOf(context);
  await createFlagFile(file, context.capabilities);
  await setFlags(file, { [flag]: share });
  const capability = flag.split('.')[0] ?? '';
  const asks = isSwitch(flag) && capability in context.declarations;
  output.result({ flag, share, file }, () => {
    const set = `${flag} is ${valueText(flag, share)}`;
    if (!asks) return set;
    const owner = share > 0 ? 'extracted' : 'legacy';
    return `${set}: ${owner} is to own ${capability}, as soon as that is safe\nnext: fig status`;
  });
}

function fileOf({ env }: Context): string {
  const server = env['UNLEASH_URL'];
  if (!server) return flagsFile(env);
  throw new CommandError(
    EXIT.failed,
    'flags_kept_elsewhere',
    `the flags are kept by the Unleash server at ${server}; change them there`,
  );
}

function shareFrom(flag: string, value: string): number {
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
