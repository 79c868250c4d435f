import { errorText } from '../../chassis/index.ts';
import { failed, passed, skipped } from './finding.ts';
import type { Finding } from './finding.ts';
import { listedFences, livez, readyz } from './outside.ts';
import type { Sample } from './sample.ts';
import type { ScratchDatabase } from './scratch.ts';
import type { Service } from './service.ts';
import { Stage } from './stage.ts';
import * as checks from './write-checks.ts';

/** What may be done to a test system, and with what. */
export interface TestSystem {
  readonly scratch: ScratchDatabase;
  readonly write: Sample;
  readonly read: Sample | undefined;
  /** A write that the service refuses by its own rules. */
  readonly refusedWrite: Sample | undefined;
  /** Whose rows the sample writes, where single keys may move ahead of the rest. */
  readonly cohortKey: string | undefined;
  readonly keys: boolean;
  readonly isMonolith: boolean;
  readonly leftOut: ReadonlySet<string>;
}

export interface ConformanceOptions {
  readonly service: Service;
  readonly capability: string;
  /** Headers by which the service knows an operator who asks for its fences. */
  readonly token: Readonly<Record<string, string>>;
  /** Absent: only what changes nothing is tried. */
  readonly test: TestSystem | undefined;
  readonly onCheck?: (name: string) => void;
}

/** A check by its name, with what it has found. */
export type CheckResult = { readonly check: string; readonly asks: string } & Finding;

interface Check {
  readonly name: string;
  /** What the service has to do, in a few words. */
  readonly asks: string;
  run(): Promise<Finding>;
}

/**
 * Holds a service against the protocol of docs/your-service.md. On a test system it sends sample writes and moves
 * a fence that it has put there, and takes that out at the end.
 */
export async function runConformance(options: ConformanceOptions): Promise<readonly CheckResult[]> {
  const { test, capability, onCheck } = options;
  const results: CheckResult[] = [];
  const run = async (all: readonly Check[]): Promise<void> => {
    for (const { name, asks, run: check } of all) {
      onCheck?.(name);
      const finding = await check().catch((error: unknown) =>
        failed(errorText(error), 'look at its log'),
      );
      results.push({ check: name, asks, ...finding });
    }
  };
  await run(outsideChecks(options));
  if (!test) {
    const needs = 'needs --test-system, --database and --write';
    await run(untried(writeChecks(options, undefined, undefined), needs));
    return results;
  }
  await test.scratch.install(capability);
  try {
    const [first, ...others] = writeChecks(options, test, new Stage({ ...options, ...test }));
    if (first) await run([first]);
    const works = results.at(-1)?.verdict === 'passed';
    await run(works ? others : untried(others, 'the sample write does not work'));
  } finally {
    await test.scratch.remove();
  }
  return results;
}

function outsideChecks({ service, token }: ConformanceOptions): readonly Check[] {
  return [
    { name: 'livez', asks: 'says that it lives', run: () => livez(service) },
    { name: 'readyz', asks: 'says that it is ready', run: () => readyz(service) },
    {
      name: 'fences',
      asks: 'lists its fences',
      run: async () => {
        const listed = await listedFences(service, token);
        return 'verdict' in listed ? listed : passed();
      },
    },
  ];
}

function untried(all: readonly Check[], reason: string): readonly Check[] {
  return all.map(({ name, asks }) => ({ name, asks, run: () => Promise.resolve(skipped(reason)) }));
}

type On = (stage: Stage, test: TestSystem) => Promise<Finding>;

/** In the order in which they run: the last one takes the fence away. Without a stage, for their names alone. */
function writeChecks(
  { service, capability, token }: ConformanceOptions,
  test: TestSystem | undefined,
  stage: Stage | undefined,
): readonly Check[] {
  const check = (name: string, asks: string, on: On): Check => ({
    name,
    asks,
    run: async () => (stage && test ? on(stage, test) : skipped('no test system')),
  });
  const byKeys =
    (on: (stage: Stage) => Promise<Finding>): On =>
    async (at, { keys }) =>
      keys ? on(at) : skipped('--without-keys');
  return [
    check('write_open', 'carries a write out while its fence is open', checks.writeWhileOpen),
    check(
      'write_closed',
      'refuses it with 421 while closed, without a trace',
      checks.writeWhileClosed,
    ),
    check('write_ceded', 'the same while ceded', checks.writeWhileCeded),
    check('fences_now', 'lists a fence as it is now', async (at) => {
      await at.set('ceded');
      const listed = await listedFences(service, token);
      if ('verdict' in listed) return listed;
      const fence = listed.find((each) => each.capability === capability && each.key === '*');
      if (fence?.state === 'ceded' && fence.epoch === at.epoch) return passed();
      return failed(
        `the fence is ceded at epoch ${at.epoch}, and GET /fences lists ${JSON.stringify(fence) ?? 'none'}`,
        'read fig_fence for each request, and keep nothing',
      );
    }),
    check(
      'write_across_close',
      'commits nothing once its fence is closed',
      checks.writeAcrossClose,
    ),
    check(
      'decided_by_read',
      'refuses also what it would not do anyway',
      async (at, { refusedWrite }) =>
        refusedWrite ? checks.decidedByRead(at, refusedWrite) : skipped('needs --refused-write'),
    ),
    check('read_closed', 'answers reads whatever its fence says', async (at, { read }) =>
      read ? checks.readWhileClosed(at, read) : skipped('needs --read'),
    ),
    check(
      'key_after_refusal',
      'takes a refused write when it comes again',
      byKeys(checks.keyAfterRefusal),
    ),
    check(
      'key_repeated',
      'answers a repeated key as before, without effect',
      byKeys(checks.keyRepeated),
    ),
    check('key_at_once', 'carries one of two with the same key out', byKeys(checks.keyAtOnce)),
    check('fence_of_key', 'goes by the fence of a single key', async (at, { cohortKey }) =>
      cohortKey === undefined ? skipped('needs --key') : checks.ownFenceOfKey(at, cohortKey),
    ),
    check('without_fence', 'knows what it owns where there is no fence', (at, { isMonolith }) =>
      checks.withoutFence(at, isMonolith),
    ),
  ];
}
