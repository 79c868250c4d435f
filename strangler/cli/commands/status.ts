import type { Command } from 'commander';
import { ALL, addCommand } from '../add-command.ts';
import type { Run } from '../add-command.ts';
import { setTimeout as delay } from 'node:timers/promises';
import type { FacadeFacts } from '../../doctor/index.ts';
import { unreadableText } from '../../../routing/index.ts';
import { askAsOperator } from '../../../chassis/index.ts';
import { adminUrlsOf, declarationsFor } from '../context.ts';
import type { Context } from '../context.ts';
import { countDeadLetters, deadLetterLines, deadLetterSteps } from '../dead-letter-health.ts';
import type { DeadLetterCount } from '../dead-letter-health.ts';
import { EngineClient } from '../engine-client.ts';
import { nextSteps } from '../../engine/next-step.ts';
import { examineGateways, gatewayLines, gatewaySteps } from '../gateway-health.ts';
import type { GatewayHealth } from '../gateway-health.ts';
import type { Output, OutputOptions } from '../output.ts';
import { findStatus } from '../read-status.ts';
import type { FoundStatus } from '../read-status.ts';
import { Screen } from '../screen.ts';
import { statusText } from '../status-text.ts';
import { WatchedLines } from '../watched-lines.ts';

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
    .option('-w, --watch', 'go on showing it, until Ctrl-C', false)
    .action((capability: string | undefined, options: StatusOptions) =>
      run(options, (context, output) => status(context, output, capability, options)),
    );
}

/** Where everything is, and what was given up. */
interface Overview extends FoundStatus {
  readonly deadLetters: readonly DeadLetterCount[];
  readonly gateway: readonly GatewayHealth[];
  /** With --json: what each facade answers, as the console shows it. */
  readonly facades?: readonly FacadeTraffic[];
}

/** Requests, errors and latencies of one facade, by capability and side. */
interface FacadeTraffic {
  readonly url: string;
  /** Why it tells nothing; null where it does. */
  readonly problem: string | null;
  readonly traffic: Facade['traffic'];
}

/** Shows where every capability is, from the engine or, without one, from the databases. */
async function status(
  context: Context,
  output: Output,
  capability: string | undefined,
  { watch }: StatusOptions,
): Promise<void> {
  const wanted = new Set(
    declarationsFor(context, capability).map(({ mapping }) => mapping.capability),
  );
  const engine = new EngineClient(context, 0, () => undefined);
  const find = async (): Promise<Overview> => {
    const [found, deadLetters, gateway, facades] = await Promise.all([
      findStatus(context, engine),
      countDeadLetters(context),
      examineGateways(context),
      output.json ? trafficOf(context) : undefined,
    ]);
    const capabilities = found.capabilities.filter((one) => wanted.has(one.capability));
    return { ...found, capabilities, deadLetters, gateway, ...(facades ? { facades } : {}) };
  };
  if (!watch) {
    const found = await find();
    const text = (): string => statusText(headOf(found), found.capabilities, output.paint);
    const next = [
      ...found.capabilities.flatMap(nextSteps),
      ...deadLetterSteps(found.deadLetters),
      ...gatewaySteps(found.gateway),
    ];
    output.result(found, text, next);
    return;
  }
  if (output.terminal && !output.json) return redraw(context, find, output);
  const lines = new WatchedLines();
  for (;;) {
    const found = await find();
    const { deadLetters, gateway } = found;
    const told = lines.of(found, deadLetterLines(deadLetters), gatewayLines(gateway));
    for (const line of told) output.line(line, found);
    await delay(REFRESH_MS);
  }
}

function headOf({
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
      : `${late ?? `no engine answers at ${engineUrl}`}; this is what the databases say`;
  const unreadable = unreadableText(flags);
  return [
    teller,
    ...(unreadable === null ? [] : [unreadable]),
    ...deadLetterLines(deadLetters),
    ...gatewayLines(gateway),
  ];
}

/** Until somebody interrupts it. */
async function redraw(
  context: Context,
  find: () => Promise<Overview>,
  output: Output,
): Promise<void> {
  if (!output.terminal) return;
  let frame = '';
  const screen = new Screen(output.terminal, () => screen.draw(frame));
  output.atEnd(() => screen.close());
  for (;;) {
    const found = await find();
    const around = [
      ...headOf(found),
      ...(await Promise.all(context.adminUrls.map((url) => facadeLine(context, url)))),
    ];
    frame = statusText(around, found.capabilities, output.paint, true);
    screen.draw(frame);
    await delay(REFRESH_MS);
  }
}

/** As far as it is shown of what a facade says of itself. */
interface Facade extends FacadeFacts {
  readonly routingNews: 'pushed' | 'polled';
  readonly inFlight: number;
  /** By capability and side: since the start, and rates of the last ten seconds. */
  readonly traffic: readonly {
    /** Empty for requests that belong to no capability. */
    readonly capability: string;
    readonly side: string;
    readonly requests: number;
    readonly errors: number;
    readonly perSecond: number;
    readonly errorsPerSecond: number;
    readonly p50Ms: number | null;
    readonly p99Ms: number | null;
  }[];
}

/** Asks each facade what it answers. */
function trafficOf(context: Context): Promise<readonly FacadeTraffic[]> {
  return Promise.all(
    adminUrlsOf(context).map(async (url): Promise<FacadeTraffic> => {
      const answer = await askAsOperator(context, url, '/status');
      if (answer === undefined) return { url, problem: 'it does not answer', traffic: [] };
      if (answer.status === 200) {
        return { url, problem: null, traffic: (answer.body as Facade).traffic };
      }
      const problem =
        answer.status === 401 ? "it refuses the operators' token" : `it answers ${answer.status}`;
      return { url, problem, traffic: [] };
    }),
  );
}

async function facadeLine(context: Context, url: string): Promise<string> {
  const answer = await askAsOperator(context, url, '/status');
  if (answer?.status === 401) return `the facade at ${url} refuses the operators' token`;
  if (answer?.status !== 200) return `no facade answers at ${url}`;
  const { routingNews, inFlight, capabilities } = answer.body as Facade;
  const owners = capabilities.map(({ name, owner, epoch }) => `${name}: ${owner} (${epoch})`);
  const routing = routingNews === 'pushed' ? 'live' : 'polled';
  return `facade at ${url}; routing ${routing}; ${inFlight} requests in flight; owners ${owners.join(', ')}`;
}
