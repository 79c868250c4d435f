import type { Command } from 'commander';
import { DRY_RUN, OVERWRITE, addCommand, REASON, YES } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import { existsSync } from 'node:fs';
import {
  ForeignStrategies,
  createFlagFile,
  flagsFile,
  flagsOf,
  isSwitch,
  openFlagStore,
} from '../../../routing/index.ts';
import type { FlagReadings, FlagRule, FlagsState, FlagStore } from '../../../routing/index.ts';
import { changeFlag as changeFlagIn } from '../../engine/flag-change.ts';
import type { FlagChange } from '../../engine/flag-change.ts';
import type { Context } from '../context.ts';
import { CommandError, confirmed, EXIT, table } from '../../../chassis/cli/index.ts';
import type { Intent, Output, OutputOptions } from '../../../chassis/cli/index.ts';
import { EngineClient } from '../engine-client.ts';
import { flagsOfEngine, flagsOfFacades, stateSince } from '../flags-in-force.ts';
import type { FlagsInForce } from '../flags-in-force.ts';
import { step } from '../../engine/next-step.ts';
import { readFlags } from '../read-flags.ts';
import { plural } from '../../wording.ts';
import { sharesText } from '../status-text.ts';
import { known } from '../suggest.ts';
import { addFlagsDoctor } from './flags-doctor.ts';

interface InitOptions extends OutputOptions {
  readonly new: boolean;
  readonly keep: boolean;
  readonly yes: boolean;
}

interface SetOptions extends OutputOptions {
  readonly dryRun: boolean;
  /** Whether strategies that somebody else has set may be replaced. */
  readonly overwrite: boolean;
  readonly yes: boolean;
}

/** Declares `fig flags`: the running system does what is safe of what they ask for. */
export function addFlags(program: Command, run: Run): void {
  const flags = program
    .command('flags')
    .description(
      'show and set what is asked for: shares of reads, comparisons, the owner of writes',
    )
    .addHelpText(
      'after',
      '\nExamples:\n  fig flags\n  fig flags set inventory.reads 25\n  fig flags set inventory.writes on',
    );
  addCommand(flags, 'show', {
    does: 'show all flags',
    examples: ['fig flags', 'fig flags --json'],
    isDefault: true,
  }).action((options: OutputOptions) => run(options, showFlags));
  addCommand(flags, 'init', {
    does:
      'make the flag file, all off, where there never was one; a flag that is not made yet asks for ' +
      'nothing, so ownership stays where it is',
    examples: ['fig flags init', 'fig flags init --new'],
  })
    .option('--new', 'nothing was ever moved: make the writes flags, too, off', false)
    .option('--keep', 'do nothing where there is a file already', false)
    .option(...YES, false)
    .option(...REASON)
    .action((options: InitOptions) =>
      run(options, (context, output) => initFlags(context, output, options)),
    );
  addCommand(flags, 'set', {
    does: 'set one flag, whatever the state of things is; the system sees it at once',
    examples: ['fig flags set inventory.reads 25', 'fig flags set inventory.writes on'],
  })
    .argument('<name>', 'such as inventory.reads')
    .argument('<value>', 'a share from 0 to 100, on or off')
    .option(...OVERWRITE, false)
    .option(...DRY_RUN, false)
    .option(...YES, false)
    .option(...REASON)
    .action((name: string, value: string, options: SetOptions) =>
      run(options, (context, output) => setFlag(context, output, name, value, options)),
    );
  addFlagsDoctor(flags, run);
}

/**
 * Shows all flags of the capabilities, with what they ask for.
 * @throws CommandError when they can't be read, after what is still in force is shown
 */
async function showFlags(context: Context, output: Output): Promise<void> {
  const flags = await readFlags(context);
  const { source, read, trouble } = flags.state();
  if (!read || trouble !== null) return showUnread(context, output, flags.state());
  const names = context.capabilities.flatMap(flagsOf);
  const rules = names.map((flag) => [flag, flags.rule(flag)] as const);
  const shares = rules.map(([flag, { share }]) => [flag, share] as const);
  const notes = names.flatMap((flag) => noteOn(flag, flags));
  output.result(
    { source, flags: Object.fromEntries(shares), rules: Object.fromEntries(rules) },
    () => [table(rules.map(([flag, rule]) => [flag, ruleWords(flag, rule)])), ...notes].join('\n'),
  );
}

/** Of a switch that asks for nothing. */
function noteOn(flag: string, flags: FlagReadings): readonly string[] {
  if (!isSwitch(flag)) return [];
  const { refused, made } = flags.switch(flag);
  return refused === null || !made ? [] : [`${flag} asks for nothing: ${refused}; the owner stays`];
}

/** What the running system has read last is what counts meanwhile. */
async function showUnread(context: Context, output: Output, own: FlagsState): Promise<never> {
  const engine = new EngineClient(context, 0, () => undefined);
  const live = await engine.status();
  const told = live ? flagsOfEngine(engine.url, live) : await flagsOfFacades(context);
  const state = stateSince(own, told);
  const inForce = told?.flags.read === true ? told.shares : null;
  const { source, trouble } = state;
  output.result({ source, readable: false, trouble, flags: null, inForce }, () =>
    inForceText(told),
  );
  const at = trouble?.since ?? null;
  const since = at === null ? '' : ` since ${new Date(at).toISOString()}`;
  const message = `the flags of ${source} can't be read${since}: ${trouble?.reason ?? ''}`;
  throw new CommandError(EXIT.failed, 'flags_unreadable', message, 'fig doctor');
}

function inForceText(told: FlagsInForce | undefined): string {
  if (told === undefined) {
    return 'nothing is known to be in force: neither an engine nor a facade answers';
  }
  const { teller, flags, shares } = told;
  if (!flags.read) return `nothing is in force: ${teller} could never read them`;
  const head =
    flags.trouble === null
      ? `${teller} reads them, and only this command does not; in force:`
      : `still in force, as ${teller} has read them last:`;
  const lines = Object.entries(shares).map(([name, own]) => `  ${name}: ${sharesText(own)}`);
  return [head, ...lines].join('\n');
}

function ruleWords(flag: string, rule: FlagRule): string {
  if (rule.kind === 'missing') return `${valueText(flag, 0)} (not made yet)`;
  return rule.conditions ?? valueText(flag, rule.share);
}

/**
 * Makes the flag file where there never was one, with its flags off.
 * `new`: nothing was ever moved, so that the writes may be asked for at legacy; `keep`: a file that
 * is there already is as good.
 */
async function initFlags(
  { env, capabilities, declarations }: Context,
  output: Output,
  { new: isNew, keep, yes }: InitOptions,
): Promise<void> {
  if (env['UNLEASH_URL']) {
    const message = `the flags are kept by the Unleash server at ${env['UNLEASH_URL']}, and no file is used`;
    throw new CommandError(EXIT.refused, 'flags_kept_elsewhere', message, 'fig flags');
  }
  const file = flagsFile(env);
  // Who owns what is in the databases: a file that was lost must not ask for the way back.
  const flags = capabilities
    .flatMap(flagsOf)
    .filter((flag) => isNew || !isSwitch(flag) || !(flag.replace(/\.writes$/, '') in declarations));
  const words = `${isNew ? ' --new' : ''}${keep ? ' --keep' : ''}`;
  if (!existsSync(file)) {
    const look = (): Intent => ({
      question: `Make ${file} with ${plural(flags.length, 'flag')}, off?`,
    });
    await confirmed(output, { look, yes, command: `fig flags init${words}` });
  }
  const isMade = await createFlagFile(file, flags);
  if (!isMade && keep) {
    output.result({ outcome: 'kept', file }, () => `${file} is there already, and stays as it is`);
    return;
  }
  if (!isMade) {
    const message = `there is a flag file at ${file} already`;
    throw new CommandError(EXIT.refused, 'flag_file_exists', message, 'fig flags');
  }
  output.result({ outcome: 'made', file, flags }, () => `${file} is made, with its flags off`);
}

/** Sets one flag; the running system sees it within a moment. */
async function setFlag(
  context: Context,
  output: Output,
  name: string,
  value: string,
  { dryRun, overwrite, yes }: SetOptions,
): Promise<void> {
  const flag = known('flag', name, context.capabilities.flatMap(flagsOf));
  const share = shareFrom(flag, value);
  if (!dryRun) {
    const words = isSwitch(flag) ? valueText(flag, share) : String(share);
    await agreedOnFlag(context, output, {
      flag,
      share,
      overwrite,
      yes,
      command: `fig flags set ${flag} ${words}${overwrite ? ' --overwrite' : ''}`,
    });
  }
  const change = await changeFlag(context, flag, share, { dryRun, overwrite });
  const capability = flag.split('.')[0] ?? '';
  const asks = isSwitch(flag) && capability in context.declarations;
  const next = asks ? [step('fig status', 'tells whether the handover is safe yet')] : [];
  output.result(
    change,
    () => {
      if (!asks || dryRun) return changeText(change);
      const owner = change.share > 0 ? 'extracted' : 'legacy';
      return `${changeText(change)}: requested: ${capability} moves to ${owner} when its gates pass\nnext: fig status`;
    },
    next,
  );
}

interface FlagOrder {
  readonly flag: string;
  readonly share: number;
  readonly overwrite: boolean;
  readonly yes: boolean;
  /** The command that was given, without --yes. */
  readonly command: string;
}

/** Says what a flag is and would be, and asks, unless it is that already. @throws CommandError unless it may be set */
export async function agreedOnFlag(
  context: Context,
  output: Output,
  { flag, share, overwrite, yes, command }: FlagOrder,
): Promise<void> {
  const look = async (): Promise<Intent | null> => {
    const planned = await changeFlag(context, flag, share, { dryRun: true, overwrite });
    const { before, conditions } = planned;
    // A switch that is not made yet asks for nothing; off asks for legacy.
    const isMade = (await storeOf(context).rule(flag)).kind !== 'missing';
    if (isMade && before === share && conditions === null) return null;
    const then = valueText(flag, share);
    const owner = share > 0 ? 'extracted' : 'legacy';
    const asks = isSwitch(flag)
      ? `, which requests that ${owner} becomes the owner when its gates pass`
      : '';
    return {
      will: `${flag} is ${conditions ?? valueText(flag, before)}, and would be ${then}${asks}`,
      question: `Set ${flag} to ${then}?`,
    };
  };
  await confirmed(output, { look, yes, command });
}

/**
 * Sets a flag, or only says what that would change.
 * @throws CommandError, FlagFileError, FlagServerError
 */
export async function changeFlag(
  context: Context,
  flag: string,
  share: number,
  options: Pick<SetOptions, 'dryRun' | 'overwrite'>,
): Promise<FlagChange> {
  try {
    return await changeFlagIn(storeOf(context), flag, share, options);
  } catch (error) {
    if (!(error instanceof ForeignStrategies)) throw error;
    const next = `fig flags set ${flag} ${isSwitch(flag) ? 'on' : share} --overwrite`;
    throw new CommandError(EXIT.refused, 'foreign_strategies', error.message, next, { flag });
  }
}

export function changeText({
  outcome,
  flag,
  before,
  conditions,
  share,
  source,
}: FlagChange): string {
  if (outcome === 'set') return `${flag} is ${valueText(flag, share)}`;
  const [from, to] = [conditions ?? valueText(flag, before), valueText(flag, share)];
  return `${flag} would go from ${from} to ${to} in ${source}`;
}

function storeOf({ env }: Context): FlagStore {
  const store = openFlagStore(env);
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
  const wanted = isSwitch(flag) ? 'on or off' : 'a whole number from 0 to 100, on or off';
  throw new CommandError(
    EXIT.usage,
    'bad_value',
    `invalid value "${value}" for ${flag}: expected ${wanted}`,
  );
}

function valueText(flag: string, share: number): string {
  if (isSwitch(flag)) return share > 0 ? 'on' : 'off';
  return `${share} %`;
}
