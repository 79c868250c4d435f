import type { LiveStatus } from '../strangler/engine/index.ts';
import { otherSide } from './status.ts';

/** An order of an operator: a command of `fig`, and what is posted for it. */
export interface Order {
  readonly command: string;
  readonly verb: Verb;
  readonly capability: string;
  /** What its button says. */
  readonly label: string;
  /** What is asked before it is given. */
  readonly question: string;
  /** Whether it can't be undone. */
  readonly irreversible: boolean;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export type Verb =
  'backfill' | 'shadow' | 'ramp' | 'reconcile' | 'switch' | 'reverse' | 'abort' | 'complete';

/**
 * The order that a command means, or undefined for a command that the console does not give, such as
 * `fig doctor`.
 */
export function orderOf(given: string, statuses: readonly LiveStatus[]): Order | undefined {
  const command = asShare(given);
  const [program, verb, capability = '', ...words] = command.split(' ');
  const status = statuses.find((one) => one.capability === capability);
  if (program !== 'fig' || !status) return undefined;
  const valueOf = (option: string): string | undefined => {
    const at = words.indexOf(option);
    return at < 0 ? undefined : words[at + 1];
  };
  const deleteRows = numberOf(valueOf('--delete-rows'));
  const deleting = deleteRows === undefined ? {} : { deleteRows };
  const base = { command, capability, irreversible: deleteRows !== undefined };
  switch (verb) {
    case 'backfill': {
      const restart = words.includes('--restart');
      const rate = valueOf('--rate');
      const pace = rate === undefined ? {} : { rate: rate === 'off' ? null : Number(rate) };
      return {
        ...base,
        verb,
        label: restart ? 'Copy again' : 'Copy',
        question: `Copy the rows of ${capability} to ${otherSide(status.owner ?? 'legacy')}?`,
        path: '/engine/backfills',
        body: { capability, restart, ...pace, ...deleting },
      };
    }
    case 'shadow':
    case 'ramp': {
      const share = numberOf(words[0]) ?? 0;
      const kind = verb === 'ramp' ? 'reads' : 'shadow';
      const [what, back] =
        verb === 'ramp'
          ? ['Read from extracted', 'Take the reads back']
          : ['Compare answers', 'Stop comparing answers'];
      return {
        ...base,
        verb,
        label: share === 0 ? back : `${what}: ${share} %`,
        question: `Set ${capability}.${kind} to ${share} %?`,
        path: '/engine/shares',
        body: { capability, kind, share, overwrite: words.includes('--overwrite') },
      };
    }
    case 'reconcile': {
      const repair = words.includes('--repair');
      const sample = numberOf(valueOf('--sample'));
      return {
        ...base,
        verb,
        label: repair ? 'Compare and repair' : 'Compare all rows',
        question: repair
          ? `Bring the owner’s rows of ${capability} over once more where the sides differ?`
          : `Compare all rows of ${capability}?`,
        path: '/engine/reconciles',
        body: { capability, repair, ...(sample === undefined ? {} : { sample }), ...deleting },
      };
    }
    case 'switch':
    case 'reverse': {
      const to = verb === 'switch' ? 'extracted' : 'legacy';
      const keys = valueOf('--customers')?.split(',');
      const share = numberOf(valueOf('--share'));
      return {
        ...base,
        verb,
        label: verb === 'switch' ? 'Switch to extracted' : 'Reverse to legacy',
        question: `Move the writes of ${capability} from ${otherSide(to)} to ${to}?`,
        path: '/engine/handovers',
        body: {
          capability,
          to,
          ...(words.includes('--without-flags') ? { withoutFlags: true } : {}),
          ...(keys ? { customers: keys } : {}),
          ...(share === undefined ? {} : { share }),
        },
      };
    }
    case 'abort':
      return {
        ...base,
        verb,
        label: 'Take the handover back',
        question: `Take the handover of ${capability} back?`,
        path: '/engine/aborts',
        body: { capability, handover: status.moving?.id ?? 'none' },
      };
    case 'complete':
      return {
        ...base,
        verb,
        irreversible: true,
        label: 'Complete',
        question: `Complete ${capability}? There is no way back afterwards.`,
        path: '/engine/completions',
        body: { capability },
      };
    default:
      return undefined;
  }
}

/** A flag of reads that is to be set, as the command that looks at gates first. */
function asShare(command: string): string {
  const [, capability, kind, share] =
    /^fig flags set ([^.]+)\.(shadow|reads) (\d+)/.exec(command) ?? [];
  if (capability === undefined) return command;
  return `fig ${kind === 'reads' ? 'ramp' : 'shadow'} ${capability} ${share}`;
}

/** What may be asked for at this stage; the first is the likeliest. Refused ones say why. */
export function commandsFor(status: LiveStatus): readonly string[] {
  const { capability, stage, owner, moving, shares } = status;
  const next = status.nextSteps.map(({ command }) => command);
  const usual =
    stage === 'complete'
      ? []
      : owner === 'extracted'
        ? [
            'reverse',
            'reconcile',
            'ramp 100',
            `shadow ${shares?.shadow === 0 ? 100 : 0}`,
            'complete',
          ]
        : [
            'backfill',
            `shadow ${shares?.shadow === 100 ? 0 : 100}`,
            `ramp ${widerThan(shares?.reads ?? 0)}`,
            'reconcile',
            'switch',
          ];
  const all = (moving ? ['abort', ...usual] : usual).map((words) => {
    const [verb, ...rest] = words.split(' ');
    return ['fig', verb, capability, ...rest].join(' ');
  });
  const first = next.find((command) => all.some((one) => sameVerb(one, command)));
  if (first === undefined) return all;
  return [first, ...all.filter((one) => !sameVerb(one, first))];
}

export function sameVerb(left: string, right: string): boolean {
  return left.split(' ', 3).join(' ') === right.split(' ', 3).join(' ');
}

function widerThan(share: number): number {
  return [10, 50, 100].find((one) => one > share) ?? 100;
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined || text === '' || !Number.isFinite(Number(text))
    ? undefined
    : Number(text);
}
