import type { Command } from 'commander';
import { addCommand } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import { askAsOperator, START_COMMAND } from '../../../chassis/index.ts';
import { adminUrlsOf } from '../context.ts';
import type { Context } from '../context.ts';
import { CommandError, EXIT, table } from '../../../chassis/cli/index.ts';
import type { Output, Paint } from '../../../chassis/cli/index.ts';

/** One process of an upstream, as a facade lists it. */
interface Instance {
  readonly upstream: string;
  readonly url: string;
  readonly version: string | null;
  readonly load: number;
  readonly ejected: boolean;
  readonly source: 'config' | 'registry' | 'dns';
}

/** What a facade sends requests to; why it does not say so where `instances` is null. */
interface FacadeServices {
  readonly facade: string;
  readonly instances: readonly Instance[] | null;
  readonly error: string | null;
}

/** Declares `fig services`. */
export function addServices(program: Command, run: Run): void {
  addCommand(program, 'services', {
    does:
      'list the instances that each facade sends requests to: upstream, URL, version, load, whether it is ' +
      'ejected, and whether configuration, registry or DNS names it',
    examples: ['fig services', 'fig services --json'],
  }).action((options) => run(options, services));
}

async function services(context: Context, output: Output): Promise<void> {
  const urls = adminUrlsOf(context);
  const facades = await Promise.all(urls.map((url) => servicesAt(context, url)));
  if (facades.every(({ instances }) => instances === null)) {
    const message = facades.map(({ error }) => error).join('; ');
    throw new CommandError(EXIT.failed, 'facade_away', message, START_COMMAND);
  }
  output.result({ facades }, () =>
    facades.map((each) => servicesText(each, output.paint)).join('\n\n'),
  );
}

async function servicesAt(context: Context, facade: string): Promise<FacadeServices> {
  const answer = await askAsOperator(context, facade, '/status');
  if (answer?.status === 200) {
    const { instances } = answer.body as { readonly instances: readonly Instance[] };
    return { facade, instances, error: null };
  }
  const error =
    answer?.status === 401
      ? `the facade at ${facade} refuses the operators' token`
      : `no facade answers at ${facade}`;
  return { facade, instances: null, error };
}

function servicesText({ facade, instances, error }: FacadeServices, paint: Paint): string {
  if (instances === null) return paint('red', error ?? '');
  const rows = instances.map(({ upstream, url, version, load, ejected, source }) => [
    upstream,
    url,
    version ?? '-',
    String(load),
    ejected ? 'ejected' : 'in use',
    source,
  ]);
  const head = ['upstream', 'url', 'version', 'load', 'state', 'source'];
  return `${paint('bold', `facade at ${facade}`)}\n${table([head, ...rows], '  ')}`;
}
