import type { Command } from 'commander';
import { addCommand } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import { askAsOperator, START_COMMAND } from '../../../chassis/index.ts';
import { adminUrlsOf } from '../context.ts';
import type { Context } from '../context.ts';
import { CommandError, EXIT } from '../../../chassis/cli/index.ts';
import type { Output, OutputOptions, Paint } from '../../../chassis/cli/index.ts';

interface ExplainOptions extends OutputOptions {
  readonly customer?: string;
}

interface Question {
  readonly method: string;
  readonly path: string;
  readonly customer: string | undefined;
}

interface Destination {
  readonly name: string;
  readonly url: string;
}

/** What a facade answers, as far as it is shown here; the JSON has all of it. */
interface Explanation {
  readonly asked: { readonly method: string; readonly path: string };
  readonly refused: { readonly status: number; readonly code: string } | null;
  readonly path: string | null;
  readonly route: string | null;
  readonly capability: string | null;
  readonly kind: 'pass' | 'read' | 'write' | null;
  readonly changes: readonly string[];
  readonly upstream: Destination | null;
  readonly why: string;
  readonly held: { readonly why: string } | null;
  readonly shadow: (Destination & { readonly share: number }) | null;
  readonly notes: readonly string[];
}

/** Declares `fig explain`. */
export function addExplain(program: Command, run: Run): void {
  addCommand(program, 'explain', {
    does: 'say where the facade would send a request right now, and why; sends nothing',
    examples: [
      'fig explain GET /api/inventory/SHIP-001 --customer CORK',
      'fig explain POST /api/orders',
    ],
  })
    .argument('<method>', 'such as GET')
    .argument('<path>', 'such as /api/items/42')
    .option('--customer <id>', 'who asks: shares of reads go by customer')
    .action((method: string, path: string, options: ExplainOptions) =>
      run(options, (context, output) =>
        explain(context, output, { method, path, customer: options.customer }),
      ),
    );
}

/** Asks the first facade that answers where a request would go, and why; sends nothing on. */
async function explain(
  context: Context,
  output: Output,
  { method, path, customer }: Question,
): Promise<void> {
  const query = new URLSearchParams({ method, path, ...(customer ? { customer } : {}) });
  const urls = adminUrlsOf(context);
  for (const url of urls) {
    const answer = await askAsOperator(context, url, `/explain?${query.toString()}`);
    if (answer === undefined) continue;
    if (answer.status !== 200) throw refused(answer.body);
    const explanation = answer.body as Explanation;
    const told = { facade: url, ...explanation };
    output.result(told, () => explanationText(explanation, output.paint));
    return;
  }
  const message = `no facade answers at ${urls.join(', ')}, and only a facade decides`;
  throw new CommandError(EXIT.failed, 'facade_away', message, START_COMMAND);
}

function refused(body: unknown): CommandError {
  const { code = 'failed', detail = 'the facade did not understand' } = (body ?? {}) as {
    readonly code?: string;
    readonly detail?: string;
  };
  return new CommandError(EXIT.usage, code, detail, 'fig explain --help');
}

function explanationText(told: Explanation, paint: Paint): string {
  const { asked, refused: refusal, path, upstream, kind } = told;
  const head = `${paint('bold', `${asked.method} ${path ?? asked.path}`)}  ${target()}`;
  const facts = leaves(told).map(([name, text], index, all) => {
    const corner = index === all.length - 1 ? '└─' : '├─';
    return `${paint('dim', corner)} ${name.padEnd(6)}  ${text}`;
  });
  return [head, ...facts].join('\n');

  function target(): string {
    if (refusal) return paint('red', `refused with ${refusal.status} ${refusal.code}`);
    if (!upstream) return paint('cyan', 'drawn anew for each request');
    return `${paint('cyan', `goes to ${upstream.name}`)} at ${upstream.url}, as a ${kind ?? 'request'}`;
  }
}

function leaves({
  why,
  capability,
  route,
  changes,
  held,
  shadow,
  notes,
}: Explanation): (readonly [name: string, text: string])[] {
  return [
    ...(route === null
      ? []
      : [['route', `${route}${capability ? `, of ${capability}` : ''}`] as const]),
    ...(changes.length > 0 ? [['writes', changes.join(', ')] as const] : []),
    ['why', why] as const,
    ...(held ? [['held', held.why] as const] : []),
    ...(shadow
      ? [['shadow', `${shadow.name} is asked as well, for ${shadow.share} % of them`] as const]
      : []),
    ...notes.map((note) => ['note', note] as const),
  ];
}
