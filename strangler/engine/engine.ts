import type { Express } from 'express';
import { errorText } from '../../chassis/index.ts';
import { createHttpApp, deadLetterMetrics } from '../../chassis/web/index.ts';
import type { Access, Logger } from '../../chassis/index.ts';
import type { ReadinessCheck } from '../../chassis/web/index.ts';
import type { CopyOptions, ReconcileReport, RemovalPlan } from '../replication/copy/index.ts';
import type { RepairReport } from '../doctor/repair.ts';
import type { Decision } from '../doctor/trust.ts';
import type { StepLimits } from '../ownership/handover/coordinator.ts';
import type { Gate } from '../ownership/handover/gate.ts';
import type { GateLimits } from '../ownership/handover/gates.ts';
import type { CompletionStep } from '../ownership/completion/index.ts';
import type { StepKind } from '../ownership/handover/switcher.ts';
import { tablesOf } from '../mapping/index.ts';
import { flagsReadiness } from '../../routing/index.ts';
import type { Flags, FlagsState, FlagStore, RoutingState } from '../../routing/index.ts';
import { SCHEMA_VERSION } from '../check/schema-version.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import { complete, planCompletion } from './complete.ts';
import type { CompletionAnswer, CompletionPlan } from './complete.ts';
import { remembered } from './broken-off.ts';
import { newHolder } from './leases.ts';
import { FacadeRegistry } from './facade-registry.ts';
import type { IntentView } from './flag-reconciler.ts';
import { abort } from './abort.ts';
import type { AbortAnswer } from './abort.ts';
import { deadChanges } from './dead-changes.ts';
import type { CohortRequest } from './cohort-request.ts';
import { handOver, notLeading, planHandover, readableCapability, turnFlag } from './commands.ts';
import type { HandoverAnswer, HandoverPlan, HandoverOptions } from './commands.ts';
import { openCapability } from './open-capability.ts';
import type { DataDeclaration, OpenCapability } from './open-capability.ts';
import { agreedRemoval } from './removals.ts';
import { engineRoutes } from './routes.ts';
import type { DeletionOptions, EngineControl, ReconcileOrder } from './routes.ts';
import { RoutingPublisher } from './routing-publisher.ts';
import { moveSequences } from './sequences.ts';
import { CapabilityController } from './capability-controller.ts';
import { repairAsLeader } from './repair-as-leader.ts';
import { changeAsLeader } from './operator-changes.ts';
import type { OperatorChange, OperatorChangeAnswer } from './operator-changes.ts';
import type { Standing } from './capability-controller.ts';
import { sharedRun } from '../shared-run.ts';
import { readFacts } from '../sides/facts.ts';
import type { Facts } from '../sides/facts.ts';
import { statusIn } from './status.ts';
import { wayBackOf } from './way-back-state.ts';
import type { WayBack } from './way-back-state.ts';
import type { CapabilityStatus, Sides } from './status.ts';
import { listHandovers, mergeLists } from './handover-list.ts';
import type { HandoverList } from './handover-list.ts';
import { TwoOwnersError } from '../replication/direction.ts';
import type { ReplicationStatus } from '../replication/replication-status.ts';

export interface EngineDeps {
  readonly declarations: Readonly<Record<string, DataDeclaration>>;
  readonly flags: Flags;
  /** Where a handover asked for in person sets its flag; absent where it may not. */
  readonly flagStore?: FlagStore | undefined;
  readonly redisUrl?: string | undefined;
  /** What else must be well before the engine is ready. */
  readonly readiness?: Readonly<Record<string, ReadinessCheck>>;
  readonly log: Logger;
  /** Which requests it answers; all but monitors' need the operators' token. */
  readonly access: Access;
  readonly limits?: StepLimits;
  readonly gateLimits?: GateLimits;
  /** How long an engine that is gone keeps others from taking over, in ms. */
  readonly leaseMs?: number;
  /** Called before a step takes effect. */
  readonly onStep?: (capability: string, step: StepKind) => void | Promise<void>;
  /** The same for the last step of a migration. */
  readonly onCompletionStep?: (capability: string, step: CompletionStep) => void | Promise<void>;
}

/** What an engine adds to what the databases tell. */
export interface LiveStatus extends CapabilityStatus {
  readonly standing: Standing;
  readonly intent: IntentView;
  /**
   * What must hold before ownership moves next, to the side that is not the owner; null while there
   * is nothing to move, or somebody else leads.
   */
  readonly gates: readonly Gate[] | null;
  /** Whether ownership could be given back; null while legacy has it, or will never have it again. */
  readonly wayBack: WayBack | null;
  /** Why changes can't be applied; null while they are. */
  readonly broken: string | null;
  readonly transport: 'queue' | 'direct' | null;
  readonly backfillRun: {
    readonly running: boolean;
    readonly rowsPerSecond: number | null;
    readonly etaMs: number | null;
    /** Rows a second at most; null: no limit. */
    readonly limit: number | null;
    readonly problem: string | null;
  } | null;
}

export interface EngineStatus {
  readonly schemaVersion: number;
  readonly at: string;
  readonly engine: { readonly holder: string; readonly redis: boolean };
  readonly flags: FlagsState;
  readonly capabilities: readonly LiveStatus[];
}

/** Everything one engine process does, behind HTTP; neither listens nor reads the environment. */
export class Engine implements EngineControl {
  /** Reads both sides of each capability; those who ask meanwhile share the next reading. */
  readonly status = sharedRun(() => this.#readStatus());
  readonly app: Express;
  readonly controllers: ReadonlyMap<string, CapabilityController>;
  holder = newHolder();
  readonly #deps: EngineDeps;
  readonly #publisher: RoutingPublisher;
  readonly #facades: FacadeRegistry | undefined;

  constructor(deps: EngineDeps) {
    const { declarations, flags, redisUrl, log } = deps;
    this.#deps = deps;
    this.#publisher = new RoutingPublisher(redisUrl, log, deps.access.token);
    const publisher = this.#publisher;
    const drains = Object.values(declarations).some(({ drainFirst = [] }) => drainFirst.length > 0);
    this.#facades = drains ? new FacadeRegistry(redisUrl, log, deps.access.token) : undefined;
    const facades = this.#facades;
    this.controllers = new Map(
      Object.entries(declarations).map(([capability, declaration]) => {
        const open = (): OpenCapability => openCapability(declaration, deps);
        const holder = (): string => this.holder;
        const foreignTables = foreignTablesOf(capability, declarations);
        const given = {
          ...settings(deps),
          capability,
          open,
          flags,
          publisher,
          facades,
          log,
          holder,
        };
        return [capability, new CapabilityController({ ...given, foreignTables })];
      }),
    );
    const readiness = [...this.controllers.values()].map(
      (controller) => [controller.capability, () => ready(controller)] as const,
    );
    this.app = createHttpApp({
      name: 'engine',
      log,
      access: deps.access,
      operators: {},
      routes: [
        engineRoutes(this),
        deadLetterMetrics(() => deadChanges(openCapabilitiesOf(this.controllers))),
      ],
      readiness: {
        ...Object.fromEntries(readiness),
        flags: () => flagsReady(flags),
        ...deps.readiness,
      },
    });
  }

  /** @param address where others reach it */
  start(address?: string): void {
    this.holder = newHolder(address);
    for (const controller of this.controllers.values()) controller.start();
  }

  /** Ends handovers under way, gives the leases back. */
  async close(): Promise<void> {
    await Promise.all([...this.controllers.values()].map((controller) => controller.stop()));
    this.#publisher.close();
    this.#facades?.close();
  }

  routing(): readonly RoutingState[] {
    return this.#publisher.states;
  }

  async #readStatus(): Promise<EngineStatus> {
    const controllers = [...this.controllers.values()];
    return {
      schemaVersion: SCHEMA_VERSION,
      at: new Date().toISOString(),
      engine: { holder: this.holder, redis: this.#publisher.live },
      flags: this.#deps.flags.state(),
      capabilities: await Promise.all(controllers.map((controller) => this.#statusOf(controller))),
    };
  }

  /** Handovers of all capabilities, newest first, and the sides that could not be read. */
  async handovers(limit = 100): Promise<HandoverList> {
    const lists = [...this.controllers.values()].map((controller) =>
      listHandovers(controller.capability, sidesOf(controller), limit),
    );
    return mergeLists(await Promise.all(lists));
  }

  /** Begins or goes on with a copy, and returns while it runs. */
  async backfill(
    controller: CapabilityController,
    { deleteRows, ...wish }: CopyOptions & DeletionOptions,
  ): Promise<void> {
    const opened = await readableCapability(controller);
    const { data } = opened;
    if (wish.restart || (await wouldBegin(opened))) await agreedRemoval(opened, deleteRows);
    remembered(opened, 'backfill', data.backfill(wish)).catch((error: unknown) => {
      this.#deps.log.error({ err: error, capability: controller.capability }, 'the backfill ended');
    });
  }

  /** What both sides hold, and what would vanish if the owner's rows replaced the other side's. */
  async removal(
    controller: CapabilityController,
    { deleteRows }: DeletionOptions,
  ): Promise<RemovalPlan> {
    return agreedRemoval(await readableCapability(controller), deleteRows);
  }

  async reconcile(
    controller: CapabilityController,
    { sample, repair, deleteRows }: ReconcileOrder,
  ): Promise<ReconcileReport> {
    const opened = await readableCapability(controller);
    if (repair) await agreedRemoval(opened, deleteRows);
    const { data, sides } = opened;
    const work = repair ? data.repair({ sample }) : data.reconcile({ sample });
    const report = await remembered(opened, 'comparison', work);
    // Whoever compares wants to know whether the other side could take over.
    const { owner } = report;
    await moveSequences(data.mapping, sides[owner], sides[otherSide(owner)]);
    return report;
  }

  planHandover(
    controller: CapabilityController,
    to: SideName,
    wish?: CohortRequest,
  ): Promise<HandoverPlan> {
    return planHandover(controller, to, this.#deps, wish);
  }

  /** Mends what is safe to mend; with a side, what a person has decided. */
  async repair(controller: CapabilityController, decision: Decision | null): Promise<RepairReport> {
    const { reconciler } = controller;
    const trusted = decision?.side ?? null;
    const mended = await controller.act(async (command) => {
      const outcome = await repairAsLeader(command, decision, (ended) => reconciler.resumed(ended));
      // What the flag asked for before is not done by itself any more.
      if (trusted !== null) reconciler.recallAgain();
      return outcome;
    });
    if (!mended) throw notLeading(controller);
    const report = trusted === null ? mended : await this.#settleRequest(mended, trusted);
    const { capability, done, failed } = report;
    if (done.length > 0) this.#deps.log.warn({ capability, trusted, done, failed }, 'repaired');
    return report;
  }

  /** The flag asks for what is, where it can be set; where not, it is not heard until it is turned. */
  async #settleRequest(report: RepairReport, owner: SideName): Promise<RepairReport> {
    const { capability, done } = report;
    const flag = `${capability}.writes`;
    const value = owner === 'extracted' ? 'on' : 'off';
    const said = await turnFlag(capability, owner, this.#deps).then(
      () => `${flag} is ${value}, so that it asks for what is`,
      (error: unknown) =>
        `${flag} could not be set to ${value} (${errorText(error)}): what it asks for is not done until it is turned`,
    );
    return { ...report, done: [...done, said] };
  }

  /** Carries out what an operator changes in the databases, while nothing else acts on the capability. */
  async change(
    controller: CapabilityController,
    change: OperatorChange,
  ): Promise<OperatorChangeAnswer> {
    const answer = await controller.act((context) => changeAsLeader(context, change));
    if (!answer) throw notLeading(controller);
    this.#deps.log.info({ capability: controller.capability, change }, 'an operator changed it');
    return answer;
  }

  async abort(controller: CapabilityController, id: string): Promise<AbortAnswer> {
    const answer = await abort(controller, id);
    if (!answer) throw notLeading(controller);
    return answer;
  }

  handOver(
    controller: CapabilityController,
    to: SideName,
    wishes: HandoverOptions = {},
  ): Promise<HandoverAnswer> {
    return handOver(controller, to, this.#deps, wishes);
  }

  planCompletion(controller: CapabilityController): Promise<CompletionPlan> {
    return planCompletion(controller, this.#deps.flags);
  }

  complete(controller: CapabilityController): Promise<CompletionAnswer> {
    return complete(controller, this.#deps.flags);
  }

  async #statusOf(controller: CapabilityController): Promise<LiveStatus> {
    const { capability, opened, standing } = controller;
    const reason = waitingReason(standing);
    const facts = readFacts(sidesOf(controller));
    const status = await statusIn(facts, capability, this.#deps.flags);
    const { data, unread } = await dataStatusOf(opened, facts);
    const run = data?.backfill;
    const broken = data?.problem?.message ?? null;
    const stuck = status.moving && controller.troubleOf(status.moving.id);
    return {
      ...status,
      trouble: [
        ...(standing.as === 'waiting' && !status.trouble.includes(reason) ? [reason] : []),
        ...status.trouble,
        // What keeps a side from being read is told already.
        ...(unread !== null && status.trouble.length === 0 ? [unread] : []),
        ...(stuck ? [`the handover can't be finished: ${stuck}`] : []),
      ],
      standing,
      wayBack: wayBackOf({ ...status, broken }),
      intent: controller.reconciler.view,
      gates: await gatesOf(controller, facts, status),
      broken,
      transport: data?.feed.transport ?? null,
      backfillRun: run
        ? {
            running: run.running,
            rowsPerSecond: run.rowsPerSecond,
            etaMs: run.etaMs,
            limit: run.limit,
            problem: run.problem,
          }
        : null,
    };
  }
}

function waitingReason(standing: Standing): string {
  return standing.as === 'waiting' ? standing.reason : 'the engine has just let go of it';
}

/** Both databases; while they are not open, why. */
function sidesOf({ opened, standing }: CapabilityController): Sides {
  const reason = waitingReason(standing);
  return opened?.sides ?? { legacy: new Error(reason), extracted: new Error(reason) };
}

interface DataReading {
  readonly data: ReplicationStatus | undefined;
  /** Why it can't be read; null where it can. */
  readonly unread: string | null;
}

/** What is carried and copied. */
async function dataStatusOf(
  opened: OpenCapability | undefined,
  facts: Facts,
): Promise<DataReading> {
  try {
    return { data: await opened?.data.status(facts), unread: null };
  } catch (error) {
    // The fences say so, and the doctor says what helps.
    if (error instanceof TwoOwnersError) return { data: undefined, unread: null };
    const unread = `it is unknown whether changes are carried: ${errorText(error)}`;
    return { data: undefined, unread };
  }
}

/** Whether a copy that is asked for now would begin, or go on; one that runs, or is whole, is left alone. */
async function wouldBegin({ data }: OpenCapability): Promise<boolean> {
  const { backfill } = await data.status();
  return !backfill.running && !backfill.complete;
}

async function gatesOf(
  { opened, standing, reconciler }: CapabilityController,
  facts: Facts,
  { owner, backfill }: CapabilityStatus,
): Promise<readonly Gate[] | null> {
  if (!opened || standing.as !== 'leader' || owner === null || backfill.state !== 'done')
    return null;
  return reconciler.gates.show(opened, facts, otherSide(owner));
}

function openCapabilitiesOf(
  controllers: ReadonlyMap<string, CapabilityController>,
): readonly OpenCapability[] {
  return [...controllers.values()].flatMap(({ opened }) => (opened ? [opened] : []));
}

/** Tables of other capabilities that lie in the same legacy database. */
function foreignTablesOf(
  capability: string,
  declarations: EngineDeps['declarations'],
): ReadonlyMap<string, string> {
  const own = declarations[capability]?.urls.legacy;
  const others = Object.values(declarations).filter(
    ({ mapping, urls }) => mapping.capability !== capability && urls.legacy === own,
  );
  return new Map(
    others.flatMap(({ mapping }) =>
      tablesOf(mapping, 'legacy').map((table) => [table, mapping.capability] as const),
    ),
  );
}

function settings(deps: EngineDeps): Partial<EngineDeps> {
  const { limits, gateLimits, leaseMs, onStep, onCompletionStep } = deps;
  return {
    ...(limits ? { limits } : {}),
    ...(gateLimits ? { gateLimits } : {}),
    ...(leaseMs === undefined ? {} : { leaseMs }),
    ...(onStep ? { onStep } : {}),
    ...(onCompletionStep ? { onCompletionStep } : {}),
  };
}

/** Fences say who owns what, so flags are never decisive here. */
async function flagsReady(flags: Flags): Promise<boolean | { readonly note: string }> {
  const { ok, note } = flagsReadiness(flags.state(), false);
  if (!ok) throw new Error(note ?? 'the flags were never read');
  return note === null || { note };
}

async function ready({ standing }: CapabilityController): Promise<boolean> {
  if (standing.as === 'waiting') throw new Error(standing.reason);
  return true;
}
