import type { Command } from 'commander';
import { addCommand } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import { spawn } from 'node:child_process';
import { askAsOperator, START_COMMAND } from '../../../chassis/index.ts';
import { adminUrlsOf } from '../context.ts';
import type { Context } from '../context.ts';
import { CommandError, EXIT } from '../../../chassis/cli/index.ts';
import type { Output, OutputOptions } from '../../../chassis/cli/index.ts';

/** What opens a link on each platform. */
const OPENERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
};
const OTHER_OPENER = ['xdg-open'] as const;

interface OpenOptions extends OutputOptions {
  readonly print: boolean;
}

/** Declares `fig open`. */
export function addOpen(program: Command, run: Run): void {
  addCommand(program, 'open', {
    does:
      'open the console in a browser, by a link that is good once and lets this browser in for twelve ' +
      'hours',
    examples: ['fig open', 'fig open --print'],
  })
    .option('--print', 'print the link, and start no browser', false)
    .action((options: OpenOptions) =>
      run(options, (context, output) => open(context, output, options)),
    );
}

/** Has the first facade that answers make a link for one use, and opens it in a browser. */
async function open(context: Context, output: Output, { print }: OpenOptions): Promise<void> {
  const url = await linkOf(context);
  const opened = !print && (await startBrowser(url));
  output.result({ url, opened }, () => (opened ? 'opened in a browser' : url));
}

async function linkOf(context: Context): Promise<string> {
  const urls = adminUrlsOf(context);
  for (const url of urls) {
    const answer = await askAsOperator(context, url, '/links', 'POST');
    if (answer === undefined) continue;
    const { path, detail } = (answer.body ?? {}) as { path?: string; detail?: string };
    if (answer.status === 201 && path !== undefined) return url + path;
    const message = `the facade at ${url} makes no link: ${detail ?? `it answered ${answer.status}`}`;
    throw new CommandError(EXIT.failed, 'link_refused', message, null);
  }
  const message = `no facade answers at ${urls.join(', ')}`;
  throw new CommandError(EXIT.failed, 'facade_away', message, START_COMMAND);
}

/** Whether a browser took the link; on a machine without one, the link is printed instead. */
function startBrowser(url: string): Promise<boolean> {
  const [command, ...words] = OPENERS[process.platform] ?? OTHER_OPENER;
  return new Promise((resolve) => {
    const child = spawn(command, [...words, url], { stdio: 'ignore' });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}
