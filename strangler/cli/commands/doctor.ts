import { Option } from 'commander';
import type { Command } from 'commander';
import { ALL, DRY_RUN, patience, parsePositive, addCommand, REASON, YES } from '../add-command.ts';
import type { Run, Timed } from '../add-command.ts';
import { errorText } from '../../../chassis/index.ts';
import type { Environment } from '../../../chassis/index.ts';
import { agreedLoss, diagnose, examine, repairText } from '../../doctor/index.ts';
import type { DatabaseFacts, Decision, EngineFacts, RepairReport } from '../../doctor/index.ts';
import { LeaseHeldError, openEachSide, repairAsLeader } from '../../engine/index.ts';
import type { DataDeclaration, LiveStatus } from '../../engine/index.ts';
import { openFlagStore, readSwitch, sharesOf } from '../../../routing/index.ts';
import { partingOf } from '../../replication/copy/index.ts';
import type { SideDatabase } from '../../sides/side-database.ts';
import { otherSide } from '../../../routing/side.ts';
import type { SideName } from '../../../routing/side.ts';
import { gatewayFindings, gatewayHealth } from '../gateway-health.ts';
import { inPlaceOfEngine, isLed } from '../as-leader.ts';
import { declarationOf, declarationsFor } from '../context.ts';
import type { Context } from '../context.ts';
import { CommandError, confirmed, EXIT, stepsText } from '../../../chassis/cli/index.ts';
import type { Output } from '../../../chassis/cli/index.ts';
import { countDeadLetters, deadLetterFindings } from '../dead-letter-health.ts';
import { doctorText } from '../doctor-text.ts';
import type { Examination } from '../doctor-text.ts';
import { EngineClient } from '../engine-client.ts';
import { askFacades } from '../facade-status.ts';
import type { NextStep } from '../../engine/next-step.ts';
import { flagsOfFacades, stateSince } from '../flags-in-force.ts';
import { readFlags } from '../read-flags.ts';
import { withSides } from '../with-sides.ts';
import { flagFindings } from '../flag-health.ts';
import type { KnownFlags } from '../flag-health.ts';
import { removalText } from '../removal.ts';
import { examineSurroundings } from '../system-health.ts';

interface DoctorOptions extends Timed {
  readonly repair: boolean;
  readonly trust?: SideName;
  readonly keep: boolean;
  /** Rows that only the other side has and that may be lost, as the refusal names them. */
  readonly deleteRows?: number;
  readonly dryRun: boolean;
  readonly yes: boolean;
}

/** Declares `fig doctor`. */
export function addDoctor(program: Command, run: Run): void {
  addCommand(program, 'doctor', {
    does:
      'explain the state of everything and what mends it; works without an engine; exit 0 when all ' +
      'is well, or mended, 1 when something is left, 3 when a person has to decide',
    examples: [
      'fig doctor',
      'fig doctor --repair',
      'fig doctor inventory --repair --trust extracted',
      'fig doctor inventory --repair --trust extracted --keep',
    ],
  })
    .argument('[capability]', ALL)
    .option('--repair', 'repair what needs no decision', false)
    .addOption(
      new Option('--trust <side>', 'with --repair: this side is right, make it the owner').choices([
        'legacy',
        'extracted',
      ]),
    )
    .option(
      '--keep',
      'with --trust: it also takes over the rows that only the other side has',
      false,
    )
    .option(
      '--delete-rows <count>',
      'with --trust: also where so many rows that only the other side has are lost: as the refusal names them',
      parsePositive,
    )
    .option(...DRY_RUN, false)
    .option(...YES, false)
    .option(...REASON)
    .addOption(patience('give up waiting', 30_000))
    .action((capability: string | undefined, options: DoctorOptions) =>
      run(options, (context, output) => doctor(context, output, capability, options)),
    );
}

/** Some ten million rows that are equal; a doctor that takes longer is no help at night. */
const COMPARE_MS = 60_000;

/**
 * Explains what state everything is in, with an engine or without one, and mends what is safe.
 * @throws CommandError when something is left to mend, or a person has to decide
 */
async function doctor(
  context: Context,
  output: Output,
  capability: string | undefined,
  options: DoctorOptions,
): Promise<void> {
  const declarations = declarationsFor(context, capability);
  refuseVagueTrust(options, declarations);
  const engine = new EngineClient(context, options.timeout, output.progress);
  const before = await look(context, engine, declarations);
  if (options.dryRun) return plan(output, before, options);
  const reports = options.repair
    ? await mend(context, output, engine, before, { ...options, of: capability })
    : [];
  const after = reports.length > 0 ? await look(context, engine, declarations) : before;
  tell(output, after, reports);
}

function refuseVagueTrust(
  { trust, keep, repair }: DoctorOptions,
  declarations: readonly DataDeclaration[],
): void {
  if (trust === undefined && !keep) return;
  if (trust !== undefined && repair && declarations.length === 1) return;
  const message = 'a side is trusted for one capability at a time, and only to mend it';
  const next = `fig doctor inventory --repair --trust ${trust ?? 'legacy'}`;
  throw new CommandError(EXIT.usage, 'usage_trust', message, next);
}

async function look(
  context: Context,
  engine: EngineClient,
  declarations: readonly DataDeclaration[],
): Promise<Examination> {
  const status = await engine.status();
  const live = status?.capabilities;
  const flags = status ?? (await readFlagsFor(context, declarations));
  const capabilities = await Promise.all(declarations.map((one) => examineOne(one)));
  const findings = capabilities.flatMap((facts) =>
    diagnose(
      facts,
      engineFacts(live?.find((one) => one.capability === facts.capability)),
      engine.lateness,
    ),
  );
  const [facades, deadLetters] = await Promise.all([
    askFacades(context, context.adminUrls),
    countDeadLetters(context),
  ]);
  const around = await examineSurroundings(context, capabilities.map(truthOf), facades);
  return {
    capabilities,
    findings: [
      ...findings,
      ...flagFindings(flags),
      ...around,
      ...deadLetterFindings(deadLetters),
      ...gatewayFindings(gatewayHealth(facades)),
    ],
  };
}

/** As an engine would tell them, where none does. */
async function readFlagsFor(
  context: Context,
  declarations: readonly DataDeclaration[],
): Promise<KnownFlags> {
  const flags = await readFlags(context);
  const told = flags.state().trouble === null ? undefined : await flagsOfFacades(context);
  return {
    flags: stateSince(flags.state(), told),
    capabilities: declarations.map(({ mapping: { capability } }) => {
      return { capability, shares: told?.shares[capability] ?? sharesOf(capability, flags) };
    }),
  };
}

async function examineOne(declaration: DataDeclaration): Promise<DatabaseFacts> {
  const sides = openEachSide(declaration);
  try {
    const facts = await examine(declaration.mapping.capability, sides);
    if (!isPartingInQuestion(facts)) return facts;
    return { ...facts, parting: await compared(declaration, sides) };
  } finally {
    for (const side of Object.values(sides)) if (!(side instanceof Error)) await side.close();
  }
}

/** Where a side may hold what the other one does not, no advice is given without having looked. */
function isPartingInQuestion({ older, fences, unfinished }: DatabaseFacts): boolean {
  if (!fences || unfinished) return false;
  const { legacy, extracted } = fences;
  return older.length > 0 || (legacy.state === 'open') === (extracted.state === 'open');
}

async function compared(
  { mapping }: DataDeclaration,
  { legacy, extracted }: Readonly<Record<SideName, SideDatabase | Error>>,
): Promise<DatabaseFacts['parting']> {
  const sides = { legacy, extracted } as Readonly<Record<SideName, SideDatabase>>;
  const signal = AbortSignal.timeout(COMPARE_MS);
  try {
    return await partingOf(mapping, sides, signal);
  } catch (error) {
    if (signal.aborted) return `comparing takes longer than ${COMPARE_MS / 1_000} s`;
    return errorText(error);
  }
}

function engineFacts(live: LiveStatus | undefined): EngineFacts | null {
  if (!live) return null;
  const { standing, intent } = live;
  const reason = standing.as === 'waiting' ? standing.reason : null;
  const { refused } = intent;
  const gate = refused && !refused.ok ? { reason: refused.reason, next: refused.next } : null;
  return { standing: standing.as, reason, intent: { ...intent, refused: gate } };
}

function truthOf({ capability, fences }: DatabaseFacts): {
  capability: string;
  owner: SideName | null;
  epoch: number;
} {
  if (!fences) return { capability, owner: null, epoch: 0 };
  const { legacy, extracted } = fences;
  const open = (['legacy', 'extracted'] as const).filter((side) => fences[side].state === 'open');
  const [owner] = open;
  const epoch = Math.max(legacy.epoch, extracted.epoch);
  return { capability, owner: open.length === 1 && owner ? owner : null, epoch };
}

function stepsOf({ findings }: Examination, trust: SideName | undefined): readonly string[] {
  return findings.flatMap(({ capability, repair }) => {
    if (capability === null) return [];
    if (trust !== undefined) return [];
    return repair === null ? [] : [repairText(capability, repair)];
  });
}

function plan(output: Output, examination: Examination, { trust, keep }: DoctorOptions): void {
  const [only] = examination.capabilities;
  const steps =
    trust === undefined
      ? stepsOf(examination, trust)
      : [
          ...(keep ? [`copy the rows that only ${otherSide(trust)} has to ${trust}`] : []),
          `${only?.capability ?? ''}: make ${trust} the only owner, at an epoch above both`,
          'demand a full comparison before the next handover',
        ];
  output.result({ outcome: 'planned', steps, findings: examination.findings }, () =>
    steps.length === 0
      ? 'there is nothing that can be mended without a decision'
      : stepsText(steps),
  );
}

async function mend(
  context: Context,
  output: Output,
  engine: EngineClient,
  examination: Examination,
  { of, trust, keep, deleteRows, yes }: DoctorOptions & { readonly of: string | undefined },
): Promise<readonly RepairReport[]> {
  const ill =
    trust === undefined
      ? examination.findings.filter(({ repair }) => repair !== null)
      : examination.capabilities;
  if (trust !== undefined) refuseUnasked(examination, trust);
  const names = [...new Set(ill.map(({ capability }) => capability))].filter(
    (name) => name !== null,
  );
  if (names.length === 0) return [];
  const decision = trust === undefined ? null : { side: trust, keep, deleteRows };
  if (decision !== null) output.say(await lossText(context, names.join(), decision));
  await confirmed(output, {
    look: () =>
      decision === null
        ? { will: stepsText(stepsOf(examination, trust)), question: `Mend ${names.join(', ')}?` }
        : { question: `Make ${decision.side} the owner of ${names.join()}?` },
    yes,
    command: commandOf(of, decision),
  });
  const reports: RepairReport[] = [];
  for (const name of names) reports.push(await operateOn(context, output, engine, name, decision));
  return reports;
}

/** What both sides hold, before one is trusted. @throws Problem where more than a few rows would be lost */
function lossText(context: Context, capability: string, decision: Decision): Promise<string> {
  const declaration = declarationOf(context, capability);
  return withSides(declaration, async (sides) => {
    const { mapping } = declaration;
    return removalText(await agreedLoss({ capability, mapping, sides }, decision));
  });
}

function commandOf(capability: string | undefined, decision: Decision | null): string {
  const mending = `fig doctor ${capability === undefined ? '' : `${capability} `}--repair`;
  if (decision === null) return mending;
  const { side, keep, deleteRows } = decision;
  const words = [
    `${mending} --trust ${side}`,
    ...(keep ? ['--keep'] : []),
    ...(deleteRows === undefined ? [] : [`--delete-rows ${deleteRows}`]),
  ];
  return words.join(' ');
}

/** @throws CommandError unless the doctor asks for a decision that this side may be */
function refuseUnasked({ findings, capabilities }: Examination, side: SideName): void {
  if (findings.some(({ trusts = [] }) => trusts.includes(side))) return;
  const names = capabilities.map(({ capability }) => capability).join();
  const message = `nothing that is wrong with ${names} is mended by declaring ${side} right; its owner stays`;
  throw new CommandError(EXIT.refused, 'nothing_to_repair', message, `fig doctor ${names}`);
}

/** By the engine where one leads, and in its place where none does. */
async function operateOn(
  context: Context,
  output: Output,
  engine: EngineClient,
  capability: string,
  decision: Decision | null,
): Promise<RepairReport> {
  if (await isLed(engine, capability)) {
    const { side: trust = null, keep = false, deleteRows } = decision ?? {};
    const order = { capability, trust, keep, deleteRows };
    return (await engine.order('/repairs', order)) as RepairReport;
  }
  try {
    const report = await inPlaceOfEngine(context, output, capability, (leader) =>
      repairAsLeader(leader, decision, () => undefined),
    );
    return decision === null ? report : await settleRequest(context.env, report, decision.side);
  } catch (error) {
    if (!(error instanceof LeaseHeldError)) throw error;
    return { capability, done: [], failed: [`${error.message}, but no engine answers here`] };
  }
}

/** The flag asks for what is, where it can be set; the next engine does not hear it until it is turned. */
async function settleRequest(
  env: Environment,
  report: RepairReport,
  owner: SideName,
): Promise<RepairReport> {
  const flag = `${report.capability}.writes`;
  const on = owner === 'extracted';
  const value = on ? 'on' : 'off';
  try {
    const store = openFlagStore(env);
    if (!store) throw new Error('an Unleash server keeps it, and UNLEASH_ADMIN_TOKEN is not given');
    if (readSwitch(await store.rule(flag)).on !== on) await store.set({ [flag]: on ? 100 : 0 });
    return {
      ...report,
      done: [...report.done, `${flag} is ${value}, so that it asks for what is`],
    };
  } catch (error) {
    const why = errorText(error);
    const left = `${flag} could not be set to ${value} (${why}): what it asks for is not done until it is turned`;
    return { ...report, done: [...report.done, left] };
  }
}

function tell(output: Output, examination: Examination, reports: readonly RepairReport[]): void {
  const { capabilities, findings } = examination;
  const left = findings.filter(({ level }) => level !== 'notice');
  const failed = reports.flatMap((report) => report.failed);
  const done = reports.flatMap((report) => report.done);
  const healthy = left.length === 0 && failed.length === 0;
  const next: NextStep[] = left.flatMap(({ remedies }) => remedies);
  const fences = capabilities.map((facts) => ({
    capability: facts.capability,
    fences: facts.fences,
  }));
  output.result(
    { healthy, mended: done, failed, findings, capabilities: fences },
    () => doctorText(examination, { done, failed }, output.paint),
    next,
  );
  if (healthy) return;
  const command = next[0]?.command ?? null;
  if (left.some(({ level }) => level === 'decision')) {
    const message = 'something needs the decision of a person';
    throw new CommandError(EXIT.refused, 'needs_decision', message, command);
  }
  const message = done.length > 0 ? 'not everything could be mended' : 'not everything is well';
  throw new CommandError(EXIT.failed, 'not_well', message, command);
}
