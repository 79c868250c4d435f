import type { Express } from 'express';
import { createHttpApp } from '../../chassis/web/index.ts';
import { SCHEMA_VERSION } from '../../chassis/index.ts';
import type { AuditTrail } from '../../chassis/audit/index.ts';
import type { Access, Logger } from '../../chassis/index.ts';
import type { ReadinessCheck } from '../../chassis/web/index.ts';
import type { StepLimits } from '../ownership/handover/machine.ts';
import type { GateLimits } from '../ownership/handover/gates.ts';
import type { CompletionStep } from '../ownership/completion/index.ts';
import type { StepKind } from '../ownership/handover/switcher.ts';
import { tablesOf } from '../mapping/index.ts';
import { flagsReadiness } from '../../routing/index.ts';
import type { Flags, FlagsState, FlagStore, RoutingState } from '../../routing/index.ts';
import { sharedRun } from '../shared-run.ts';
import { CapabilityController } from './capability-controller.ts';
import { engineFigures } from './figures.ts';
import { FacadeRegistry } from './facade-registry.ts';
import { lastComparisons, listParked } from './differences.ts';
import type { LastComparisons, ParkedList } from './differences.ts';
import type { FlagChange, FlagChangeOptions } from './flag-change.ts';
import { listHandovers, mergeLists } from './handover-list.ts';
import type { HandoverList } from './handover-list.ts';
import { newHolder } from './leases.ts';
import { readLiveStatus } from './live-status.ts';
import type { LiveStatus } from './live-status.ts';
import { openCapability } from './open-capability.ts';
import type { DataDeclaration, OpenCapability } from './open-capability.ts';
import { engineRoutes } from './routes.ts';
import { RoutingPublisher } from './routing-publisher.ts';
import { setShare } from './shares.ts';
import type { ShareOrder } from './shares.ts';

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
  /** Where orders are recorded; absent where they are not. */
  readonly audit?: AuditTrail | undefined;
  readonly limits?: StepLimits;
  readonly gateLimits?: GateLimits;
  /** How long an engine that is gone keeps others from taking over, in ms. */
  readonly leaseMs?: number;
  /** Called before a step takes effect. */
  readonly onStep?: (capability: string, step: StepKind) => void | Promise<void>;
  /** The same for the last step of a migration. */
  readonly onCompletionStep?: (capability: string, step: CompletionStep) => void | Promise<void>;
}

export interface EngineStatus {
  readonly schemaVersion: number;
  readonly at: string;
  readonly engine: { readonly holder: string; readonly redis: boolean };
  readonly flags: FlagsState;
  readonly capabilities: readonly LiveStatus[];
}

/** Everything one engine process does, behind HTTP; neither listens nor reads the environment. */
export class Engine {
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
    const drains = Object.values(declarations).some(({ drainFirst = [] }) => drainFirst.length > 0);
    this.#facades = drains ? new FacadeRegistry(redisUrl, log, deps.access.token) : undefined;
    this.controllers = new Map(
      Object.entries(declarations).map(([capability, declaration]) => {
        const controller = new CapabilityController({
          ...deps,
          capability,
          mapping: declaration.mapping,
          open: () => openCapability(declaration, { ...deps, facades: this.#facades }),
          publisher: this.#publisher,
          holder: () => this.holder,
          foreignTables: foreignTablesOf(capability, declarations),
        });
        return [capability, controller];
      }),
    );
    const readiness = [...this.controllers.values()].map(
      (controller) => [controller.capability, () => ready(controller)] as const,
    );
    this.app = createHttpApp({
      name: 'engine',
      log,
      access: deps.access,
      operators: {
        audit: deps.audit && {
          trail: deps.audit,
          by: 'engine',
          // A question: which rows a copy would remove.
          leavesOut: ({ path }) => path === '/removals',
          evidence: ({ body }) => this.#evidenceOf((body as { capability?: unknown }).capability),
        },
      },
      routes: [engineRoutes(this)],
      figures: engineFigures({
        status: this.status,
        opened: () => openCapabilitiesOf(this.controllers),
      }),
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

  /** What operators could know of a capability when they gave an order. */
  async #evidenceOf(capability: unknown): Promise<unknown> {
    const { capabilities } = await this.status();
    const status = capabilities.find((one) => one.capability === capability);
    if (!status) return null;
    const { owner, epoch, stage, shares, lag, reconcile, parked, gates } = status;
    return { owner, epoch, stage, shares, lag, reconcile, parked, gates };
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

  /** @throws where it is no facade's text */
  hearDrain(text: string): void {
    this.#facades?.hear(text);
  }

  async #readStatus(): Promise<EngineStatus> {
    const controllers = [...this.controllers.values()];
    return {
      schemaVersion: SCHEMA_VERSION,
      at: new Date().toISOString(),
      engine: { holder: this.holder, redis: this.#publisher.live },
      flags: this.#deps.flags.state(),
      capabilities: await Promise.all(controllers.map(readLiveStatus)),
    };
  }

  /** Handovers of all capabilities, newest first, and the sides that could not be read. */
  async handovers(limit = 100): Promise<HandoverList> {
    const lists = [...this.controllers.values()].map((controller) =>
      listHandovers(controller.capability, controller.sides, limit),
    );
    return mergeLists(await Promise.all(lists));
  }

  /** The newest comparison of each capability, with the rows that differed. */
  comparisons(): Promise<LastComparisons> {
    return lastComparisons(this.controllers.values());
  }

  /** Changes that could not be applied. */
  parked(): Promise<ParkedList> {
    return listParked(this.controllers.values());
  }

  /** Sets a share of reads, or says what that would change. @throws Problem */
  async setShare(order: ShareOrder, options: FlagChangeOptions): Promise<FlagChange> {
    const { flags, flagStore } = this.#deps;
    const { capabilities } = await this.status();
    return setShare({ flags, flagStore, statuses: capabilities }, order, options);
  }
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
