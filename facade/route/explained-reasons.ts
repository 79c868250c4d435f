import { otherSide } from '../../strangler/routing/index.ts';
import type { SideName } from '../../strangler/routing/index.ts';
import type { Capability } from '../match/index.ts';
import { keyOf } from '../match/index.ts';
import { isInDoubt, isOwnerUnknown } from './decision.ts';
import type { Decision, Question, ReadReason } from './decision.ts';
import type { ExplanationInputs } from './explanation-inputs.ts';

type Read = Extract<Decision, { kind: 'read' }>;
type Write = Extract<Decision, { kind: 'write' }>;

interface Reason {
  /** For programs. */
  readonly reason: string;
  /** For people. */
  readonly why: string;
}

export function whyPassed({ monolith }: ExplanationInputs): string {
  return `no capability has this route: ${monolith.name} answers it`;
}

/** Why a read is answered by the side that it is answered by. */
export function whyRead(read: Read, question: Question, world: ExplanationInputs): Reason {
  const { capability, side, reason } = read;
  const { flags, stickyHeader, upstreamOf } = world;
  const name = (of: SideName): string => upstreamOf(capability, of).name;
  const flag = capability.flags.reads;
  const { share, conditions } = flags.rule(flag);
  const { customer } = question;
  const isPlain = conditions === null;
  if (customer === undefined && !capability.replicated && isPlain && share > 0 && share < 100) {
    const drawn = `${name('extracted')} answers ${share} % of such requests, ${name('legacy')} the rest`;
    return { reason: 'drawn', why: `without ${stickyHeader} each request is drawn anew: ${drawn}` };
  }
  // Where conditions decide, too, a place in the share alone would be a wrong reason.
  const bucket = customer === undefined || !isPlain ? undefined : flags.bucket(flag, customer);
  const standing =
    bucket === undefined ? '' : `, by ${customer ?? 'nobody'}'s place ${bucket} of 100,`;
  const turns: Readonly<Record<ReadReason, string>> = {
    owner: 'the owner',
    flag: 'which may serve',
    not_ready: 'which is not ready: not whole, or more than a second behind',
    anonymous: `but without ${stickyHeader} the caller's own writes are unknown`,
    own_write: `which may not yet have every write of ${customer ?? 'the caller'}`,
  };
  const wanted = reason === 'owner' || reason === 'flag' ? side : otherSide(side);
  return {
    reason,
    why: `${flag} (${conditions ?? `${share} %`})${standing} asks for ${name(wanted)}, ${turns[reason]}`,
  };
}

/** Why a write is sent where it is sent. */
export function whyWritten(
  { capability, side, changes }: Write,
  question: Question,
  world: ExplanationInputs,
): Reason {
  if (!capability) {
    const names = changes.map(({ name }) => name).join(' and ');
    const why = `the route is ${world.monolith.name}'s, which changes ${names} at the owner`;
    return { reason: 'touches', why };
  }
  const { name } = world.upstreamOf(capability, side);
  if (!capability.replicated) {
    if (!world.snapshot.ownership(capability).known) {
      const { refused } = world.snapshot.flags.switch(capability.flags.writes);
      const why = `${capability.flags.writes} asks for nothing (${refused}): writes are refused with 503`;
      return { reason: 'unknown', why };
    }
    const state = side === 'extracted' ? 'on' : 'off';
    return { reason: 'flag', why: `${capability.flags.writes} is ${state}: ${name} takes writes` };
  }
  const key = keyOf(capability, question);
  const { epoch, known } = world.snapshot.ownership(capability, key);
  const whose = world.snapshot.isInCohort(capability, key) ? ` of ${key ?? ''}` : '';
  return {
    reason: 'owner',
    why: known
      ? `${name} owns ${capability.name}${whose} in epoch ${epoch}, as far as the facade knows`
      : `the owner of ${capability.name} is not known yet: ${name} is asked first`,
  };
}

export function whyHeld({ name }: Capability): string {
  return `ownership of ${name} is moving: the write waits until it has moved`;
}

/** What else would happen on the way. */
export function notesOn(
  decision: Decision,
  question: Question,
  world: ExplanationInputs,
): readonly string[] {
  const { method } = question;
  if (decision.kind === 'pass') return [];
  if (decision.kind === 'write') {
    return [
      ...decision.changes.flatMap((each) => notesOnKeys(each, question, world)),
      ...(method === 'POST' ? ['the facade adds an Idempotency-Key where there is none'] : []),
      ...(decision.capability?.replicated
        ? ['if a fence refuses it, nothing has happened, and it is sent to the other side']
        : []),
    ];
  }
  const { capability, side } = decision;
  const { snapshot } = world;
  const { owner } = snapshot.ownership(capability, keyOf(capability, question));
  const anybodys = isOwnerUnknown(capability, question, snapshot);
  return [
    ...notesOnKeys(capability, question, world),
    ...(isInDoubt(capability, question, snapshot) && !anybodys
      ? [
          'ownership is moving or routing updates are not pushed: the facade confirms the owner first',
        ]
      : []),
    ...(side === owner ? [] : ['if that server fails, the owner is asked']),
  ];
}

function notesOnKeys(
  capability: Capability,
  question: Question,
  world: ExplanationInputs,
): readonly string[] {
  if (!isOwnerUnknown(capability, question, world.snapshot)) return [];
  const { name, cohorts } = capability;
  return [
    `some keys of ${name} have moved, and without ${cohorts?.header} the request's key is ` +
      'unknown: the default owner is asked first',
  ];
}
