import type { Command } from 'commander';
import { addCommand, withEnvironment } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import { stringify } from 'yaml';
import { redacted } from '../../../chassis/index.ts';
import type { Environment } from '../../../chassis/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import { configFile, configJsonSchema } from '../../../routing/index.ts';
import type { Context } from '../context.ts';
import type { Output, OutputOptions } from '../../../chassis/cli/index.ts';

/** Variables that something of Fig reads. */
const OURS = /^(FIG_\w+|\w+_(URL|PORT)|UNLEASH_\w+|HOST|LOG_LEVEL|NO_COLOR)$/;

/** Declares `fig config`. */
export function addConfig(program: Command, run: Run): void {
  const config = program
    .command('config')
    .description('show the configuration, and what it may hold')
    .addHelpText('after', '\nExamples:\n  fig config print\n  fig config schema > fig.schema.json');
  addCommand(config, 'print', {
    does: 'print the configuration and the variables in force, without passwords and tokens',
    examples: ['fig config print', 'fig config print --json'],
  }).action((options: OutputOptions) => run(options, printConfig));
  addCommand(config, 'schema', {
    does:
      'print the JSON schema of a configuration in JSON or YAML, by which editors complete and check it; ' +
      'the package holds it as strangler-fig/schema.json',
    examples: ['fig config schema > fig.schema.json'],
  }).action((options: OutputOptions) => run(options, printSchema, withEnvironment));
}

async function printSchema(_env: Environment, output: Output): Promise<void> {
  const schema = configJsonSchema();
  output.result({ schema }, () => JSON.stringify(schema, null, 2));
}

/** Prints the configuration with its defaults, and the variables in force; secrets are left out. */
async function printConfig({ env, config }: Context, output: Output): Promise<void> {
  const capabilities = Object.entries(config.capabilities).map(([name, { mapping, ...rest }]) => [
    name,
    { ...rest, ...(mapping === undefined ? {} : { mapping: mappingOf(mapping as Mapping) }) },
  ]);
  const shown = {
    file: configFile(env),
    config: { ...config, capabilities: Object.fromEntries(capabilities) as object },
    variables: ours(env),
  };
  const safe = redacted(JSON.parse(JSON.stringify(shown, withoutCode))) as object;
  output.result(safe, () => stringify(safe).trimEnd());
}

/** Functions of a configuration in TypeScript, such as one that makes a document. */
function withoutCode(_name: string, value: unknown): unknown {
  return typeof value === 'function' ? '(code)' : value;
}

/** Its rules are code; what they are about is not. */
function mappingOf({ hash, pairs }: Mapping): object {
  return {
    hash,
    pairs: pairs.map(
      ({ name, legacy, extracted }) => `${name}: ${legacy.table} - ${extracted.table}`,
    ),
  };
}

function ours(env: Environment): object {
  const names = Object.keys(env).filter((name) => OURS.test(name) && env[name] !== '');
  return Object.fromEntries(names.sort().map((name) => [name, env[name]]));
}
