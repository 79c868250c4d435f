import { stringify } from 'yaml';
import { redacted } from '../../../chassis/index.ts';
import type { Environment } from '../../../chassis/index.ts';
import type { Mapping } from '../../mapping/index.ts';
import { configFile } from '../../routing/index.ts';
import type { Context } from '../context.ts';
import type { Output } from '../output.ts';

/** Variables that something of Fig reads. */
const OURS = /^(FIG_\w+|\w+_(URL|PORT)|UNLEASH_\w+|HOST|LOG_LEVEL|NO_COLOR)$/;

/** Prints the configuration with its defaults, and the variables in force; secrets are left out. */
export async function printConfig({ env, config }: Context, output: Output): Promise<void> {
  const capabilities = Object.entries(config.capabilities).map(([name, { mapping, ...rest }]) => [
    name,
    { ...rest, ...(mapping === undefined ? {} : { mapping: mappingOf(mapping as Mapping) }) },
  ]);
  const shown = {
    file: configFile(env),
    config: { ...config, capabilities: Object.fromEntries(capabilities) as object },
    variables: ours(env),
  };
  const safe = redacted(shown) as object;
  output.result(safe, () => stringify(safe).trimEnd());
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
