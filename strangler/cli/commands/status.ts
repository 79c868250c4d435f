import type { Command } from 'commander';
import { ALL, addCommand } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import { setTimeout as delay } from 'node:timers/promises';
import { unreadableText } from '../../../routing/index.ts';
import { adminUrlsOf } from '../context.ts';
import type { Context } from '../context.ts';
import { countDeadLetters, deadLetterLines, deadLetterSteps } from '../dead-letter-health.ts';
import type { DeadLetterCount } from '../dead-letter-health.ts';
import { EngineClient } from '../engine-client.ts';
import { nextSteps } from '../../engine/next-step.ts';
import { askFacades } from '../facade-status.ts';
import type { FacadeAnswer, FacadeStatus } from '../facade-status.ts';
import { gatewayHealth, gatewayLines, gatewaySteps } from '../gateway-health.ts';
import type { GatewayHealth } from '../gateway-health.ts';
import type { Output, OutputOptions } from '../../../chassis/cli/index.ts';
import { findStatus } from '../read-status.ts';
import type { FoundStatus } from '../read-status.ts';
import { routedStatus, routedStep, routedText } from '../routed-status.ts';
import type { RoutedStatus } from '../routed-status.ts';
import { Screen } from '../screen.ts';
import { statusText } from '../status-text.ts';
import { known } from '../suggest.ts';
import { WatchedLines } from '../watched-lines.ts';
import { WatchView } from '../watch-view.ts';

const REFRESH_MS = 500;

interface StatusOptions extends OutputOptions {
  readonly watch: boolean;
}

/** Declares `fig status`. */
export function addStatus(program: Command, run: Run): void {
  addCommand(program, 'status', {
    does:
      'show where every capability is: stage, owner, shares, lag, last handover; without an engine, ' +
      'the databases and flags are read themselves',
    examples: ['fig status', 'fig status payment', 'fig status -w', 'fig status --json'],
  })
    .argument('[capability]', ALL)
    .option(
      '-w, --watch',
      'go on showing it, with rates and errors of both sides, until q or Ctrl-C',
      false,
    )
    .action((capability: string | undefined, options: StatusOptions) =>
      run(options, (context, output) => status(context, output, capability, options)),
    );
}

/** Where everything is, and what was given up. */
interface Overview extends FoundStatus {
  readonly deadLetters: readonly DeadLetterCount[];
  readonly gateway: readonly GatewayHealth[];
  /** Capabilities of which no rows move. */
  readonly routed: readonly RoutedStatus[];
  /** With --json: what each facade answers, as the console shows it. */
  readonly facades?: readonly FacadeTraffic[];
}

/** Requests, errors and latencies of one facade, by capability and side. */
interface FacadeTraffic {
  readonly url: string;
  /** Why it tells nothing; null where it does. */
  readonly problem: string | null;
  readonly traffic: FacadeStatus['traffic'];
}

/** The same with what the facades themselves answer. */
interface Found {
  readonly overview: Overview;
  readonly facades: readonly FacadeAnswer[];
}

/** Shows where every capability is, from the engine or, without one, from the databases. */
async function status(
  context: Context,
  output: Output,
  capability: string | undefined,
  { watch }: StatusOptions,
): Promise<void> {
  const { capabilities: all, declarations } = context;
  const wanted =
    capability === undefined ? all : [known('capability', capability, context.capabilities)];
  const routed = wanted.filter((name) => !(name in declarations));
  const engine = new EngineClient(context, 0, () => undefined);
  const find = async (): Promise<Found> => {
    // Without facades in the environment, one that listens where facades do by default is asked.
    const urls = output.json || routed.length > 0 ? adminUrlsOf(context) : context.adminUrls;
    const [found, deadLetters, facades] = await Promise.all([
      findStatus(context, engine),
      countDeadLetters(context),
      askFacades(context, urls),
    ]);
    const capabilities = found.capabilities.filter((one) => wanted.includes(one.capability));
    const traffic = output.json ? { facades: facades.map(trafficOf) } : {};
    const gateway = gatewayHealth(facades);
    const overview = { ...found, capabilities, deadLetters, gateway, ...traffic };
    return { overview: { ...overview, routed: routedStatus(routed, facades) }, facades };
  };
  if (!watch) {
    const { overview } = await find();
    const text = (): string => textOf(overview, headOf(overview), output.paint);
    const next = [
      ...overview.capabilities.flatMap(nextSteps),
      ...overview.routed.map(routedStep),
      ...deadLetterSteps(overview.deadLetters),
      ...gatewaySteps(overview.gateway),
    ];
    output.result(overview, text, next);
    return;
  }
  if (output.terminal && !output.json) return redraw(find, output);
  const lines = new WatchedLines();
  for (;;) {
    const { overview } = await find();
    const { deadLetters, gateway } = overview;
    const told = lines.of(overview, deadLetterLines(deadLetters), gatewayLines(gateway));
    for (const line of told) output.line(line, overview);
    await delay(REFRESH_MS);
  }
}

function textOf(
  { capabilities, routed }: Overview,
  head: readonly string[],
  paint: Output['paint'],
): string {
  const moved = statusText(head, capabilities, paint);
  return [moved, ...routed.map((one) => routedText(one, paint))].join('\n\n');
}

function headOf({
  capabilities,
  source,
  engineUrl,
  late,
  flags,
  deadLetters,
  gateway,
}: Overview): readonly string[] {
  const teller =
    source === 'engine'
      ? `engine at ${engineUrl}`
      : capabilities.length === 0
        ? 'no rows move here: the flags say which side answers reads'
        : `${late ?? `no engine answers at ${engineUrl}`}; this is what the databases say`;
  const unreadable = unreadableText(flags);
  return [
    teller,
    ...(unreadable === null ? [] : [unreadable]),
    ...deadLetterLines(deadLetters),
    ...gatewayLines(gateway),
  ];
}

/** Until the operator quits or interrupts it. */
async function redraw(find: () => Promise<Found>, output: Output): Promise<void> {
  if (!output.terminal) return;
  const { terminal } = output;
  const view = new WatchView(output.paint);
  const quit = new AbortController();
  const draw = (): void => screen.draw(view.text(terminal.columns ?? 80, stopKeys !== undefined));
  const screen = new Screen(terminal, () => draw());
  const stopKeys = output.keys((key) => {
    if (view.press(key)) quit.abort();
    else draw();
  });
  output.atEnd(() => {
    stopKeys?.();
    screen.close();
  });
  while (!quit.signal.aborted) {
    const { overview, facades } = await find();
    const around = [...headOf(overview), ...facades.map(facadeLine)];
    const others = overview.routed.map((one) => routedText(one, output.paint));
    view.look(around, overview.capabilities, facades, others);
    draw();
    await delay(REFRESH_MS, undefined, { signal: quit.signal }).catch(() => undefined);
  }
  stopKeys?.();
}

function trafficOf({ url, code, facts }: FacadeAnswer): FacadeTraffic {
  if (facts) return { url, problem: null, traffic: facts.traffic };
  if (code === undefined) return { url, problem: 'it does not answer', traffic: [] };
  const problem = code === 401 ? "it refuses the operators' token" : `it answers ${code}`;
  return { url, problem, traffic: [] };
}

function facadeLine({ url, code, facts }: FacadeAnswer): string {
  if (code === 401) return `the facade at ${url} refuses the operators' token`;
  if (!facts) return `no facade answers at ${url}`;
  const { routingNews, inFlight, capabilities } = facts;
  const owners = capabilities.map(({ name, owner, epoch }) => `${name}: ${owner} (${epoch})`);
  const routing = routingNews === 'pushed' ? 'live' : 'polled';
  return `facade at ${url}; routing ${routing}; ${inFlight} requests in flight; owners ${owners.join(', ')}`;
}
