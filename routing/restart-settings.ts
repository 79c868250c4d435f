import { inspect } from 'node:util';
import type { InspectOptions } from 'node:util';
import type { CapabilityConfig, FigConfig } from './config.ts';

/** A process that reads the configuration once, when it starts, at least in part. */
export type ConfiguredProcess = 'facade' | 'engine';

/** Names of settings that count only once the process they stand under is started again. */
export type RestartSettings = Readonly<Partial<Record<ConfiguredProcess, readonly string[]>>>;

/** The processes that read a setting at their start only. Commands read every setting at each run. */
interface Reading {
  readonly facade?: true;
  /** `rows`: only of capabilities whose rows move; without any of those there is no engine. */
  readonly engine?: true | 'rows';
}

const WHOLE: InspectOptions = {
  depth: Number.POSITIVE_INFINITY,
  maxArrayLength: Number.POSITIVE_INFINITY,
  maxStringLength: Number.POSITIVE_INFINITY,
  sorted: true,
};

/** A running facade takes it over, and no other process reads it. */
const LIVE: Reading = {};
/** A running facade takes it over, and the engine reads it, too. */
const SHARED: Reading = { engine: 'rows' };
const ENGINE: Reading = { engine: true };
const FACADE: Reading = { facade: true };

type Readings<T> = Readonly<Record<keyof T, Reading>>;

// A setting that is missing here does not compile. What a running facade takes over is what
// `Facade.adopt` reads; what the engine reads is what `declarationsOf` does.
const TOP: Readings<Omit<FigConfig, 'capabilities' | 'limits' | 'upstreams'>> = {
  monolith: LIVE,
  drainFirst: SHARED,
  honoursKeys: LIVE,
  stripsParameters: LIVE,
  deadLetters: LIVE,
  stickyHeader: LIVE,
  services: LIVE,
  touches: SHARED,
  droppedHeaders: LIVE,
  trustedHops: LIVE,
  flagsFile: { facade: true, engine: 'rows' },
  contractFile: ENGINE,
  timingToken: LIVE,
  gateway: LIVE,
};

const LIMITS: Readings<FigConfig['limits']> = {
  bodyBytes: LIVE,
  holdMs: LIVE,
  heldWrites: LIVE,
  heldBytes: LIVE,
  requestMs: LIVE,
  attemptMs: LIVE,
  headersMs: FACADE,
  connections: LIVE,
  clientConnections: LIVE,
  waiting: LIVE,
  upgrades: LIVE,
  clientUpgrades: LIVE,
  clientSockets: LIVE,
};

const CAPABILITY: Readings<CapabilityConfig> = {
  legacy: SHARED,
  extracted: SHARED,
  routes: SHARED,
  encodedSlashes: LIVE,
  databases: ENGINE,
  mapping: ENGINE,
  cohorts: SHARED,
  invariants: ENGINE,
  contract: ENGINE,
  completion: ENGINE,
  comparedHeaders: LIVE,
  ignore: LIVE,
};

/** A setting that is not what it was. */
interface Change {
  readonly name: string;
  readonly reading: Reading;
  /** Whether it is about rows that move. */
  readonly rowsMove: boolean;
}

/**
 * The settings that differ and that a running process does not take over, by process.
 * @param before what the processes have started with
 */
export function restartSettings(before: FigConfig, after: FigConfig): RestartSettings {
  const changes = changesBetween(before, after);
  const facade = changes.filter(({ reading }) => reading.facade);
  const engine = changes.filter(
    ({ reading, rowsMove }) => reading.engine === true || (reading.engine === 'rows' && rowsMove),
  );
  return {
    ...(facade.length === 0 ? {} : { facade: facade.map(({ name }) => name) }),
    ...(engine.length === 0 ? {} : { engine: engine.map(({ name }) => name) }),
  };
}

function changesBetween(before: FigConfig, after: FigConfig): readonly Change[] {
  const moving = [before, after].flatMap(({ capabilities }) =>
    Object.entries(capabilities).filter(([, each]) => movesRows(each)),
  );
  const movingNames = new Set(moving.map(([name]) => name));
  const theirUpstreams = new Set(moving.flatMap(([, each]) => [each.legacy, each.extracted]));
  return [
    ...changesIn('', TOP, before, after, movingNames.size > 0),
    ...changesIn('limits.', LIMITS, before.limits, after.limits, false),
    ...namesIn(before.upstreams, after.upstreams)
      .filter((name) => differ(before.upstreams[name], after.upstreams[name]))
      .map((name) => {
        return { name: `upstreams.${name}`, reading: SHARED, rowsMove: theirUpstreams.has(name) };
      }),
    ...namesIn(before.capabilities, after.capabilities).flatMap((name) => {
      const [old, next] = [before.capabilities[name], after.capabilities[name]];
      const rowsMove = movingNames.has(name);
      return old && next
        ? changesIn(`capabilities.${name}.`, CAPABILITY, old, next, rowsMove)
        : [{ name: `capabilities.${name}`, reading: SHARED, rowsMove }];
    }),
  ];
}

type Values<K extends string> = Readonly<Partial<Record<K, unknown>>>;

function changesIn<K extends string>(
  prefix: string,
  readings: Readonly<Record<K, Reading>>,
  before: Values<K>,
  after: Values<K>,
  rowsMove: boolean,
): readonly Change[] {
  return (Object.keys(readings) as K[])
    .filter((key) => differ(before[key], after[key]))
    .map((key) => ({ name: prefix + key, reading: readings[key], rowsMove }));
}

function namesIn(before: object, after: object): readonly string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])];
}

function movesRows({ databases, mapping }: CapabilityConfig): boolean {
  return databases !== undefined || mapping !== undefined;
}

/** A mapping holds functions, too; what they do stands beside them as data. */
function differ(before: unknown, after: unknown): boolean {
  const [old, next] = [before, after].map((value) => inspect(value, WHOLE));
  return old !== next;
}
