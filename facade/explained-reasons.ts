import { otherSide } from '../strangler/routing/index.ts';
import type { SideName } from '../strangler/routing/index.ts';
import type { Capability } from './capability.ts';
import { isInDoubt } from './decision.ts';
import type { Decision, Question, ReadReason } from './decision.ts';
import type { World } from './explained-world.ts';

type Read = Extract<Decision, { kind: 'read' }>;
type Write = Extract<Decision, { kind: 'write' }>;

interface Reason {
  /** For programs. */
  readonly reason: string;
  /** For people. */
  readonly why: string;
}

export function whyPassed({ monolith }: World): string {
  return `no capability has this route: ${monolith.name} answers what is nobody's`;
}

/** Why a read is answered by the side that it is answered by. */
export function whyRead(read: Read, question: Question, world: World): Reason {
  const { capability, side, reason } = read;
  const { flags, stickyHeader, upstreamOf } = world;
  const name = (of: SideName): string => upstreamOf(capability, of).name;
  const flag = capability.flags.reads;
  const share = flags.share(flag);
  const { customer } = question;
  if (customer === undefined && !capability.replicated && share > 0 && share < 100) {
    const drawn = `${name('extracted')} answers ${share} % of such requests, ${name('legacy')} the rest`;
    return { reason: 'drawn', why: `without ${stickyHeader} each request is drawn anew: ${drawn}` };
  }
  const bucket = customer === undefined ? undefined : flags.bucket(flag, customer);
  const standing =
    bucket === undefined ? '' : `, by ${customer ?? 'nobody'}'s place ${bucket} of 100,`;
  const turns: Readonly<Record<ReadReason, string>> = {
    owner: 'the owner',
    flag: 'which may serve',
    not_ready: 'which is not ready: not whole, or more than a second behind',
    anonymous: `but without ${stickyHeader} nobody knows what the caller wrote`,
    own_write: `which may not have all yet that ${customer ?? 'nobody'} wrote`,
  };
  const wanted = reason === 'owner' || reason === 'flag' ? side : otherSide(side);
  return {
    reason,
    why: `${flag} (${share} %)${standing} asks for ${name(wanted)}, ${turns[reason]}`,
  };
}

/** Why a write is sent where it is sent. */
export function whyWritten({ capability, side, changes }: Write, world: World): Reason {
  if (!capability) {
    const names = changes.map(({ name }) => name).join(' and ');
    const why = `the route is ${world.monolith.name}'s, which changes ${names} at whoever owns it`;
    return { reason: 'touches', why };
  }
  const { name } = world.upstreamOf(capability, side);
  if (!capability.replicated) {
    const state = side === 'extracted' ? 'on' : 'off';
    return { reason: 'flag', why: `${capability.flags.writes} is ${state}: ${name} takes writes` };
  }
  const { epoch, known } = world.circumstances.ownership(capability);
  return {
    reason: 'owner',
    why: known
      ? `${name} owns ${capability.name} in epoch ${epoch}, as far as the facade knows`
      : `nobody has told yet who owns ${capability.name}: ${name} is asked first`,
  };
}

export function whyHeld({ name }: Capability): string {
  return `ownership of ${name} is moving: the write waits until it has moved`;
}

/** What else would happen on the way. */
export function notesOn(decision: Decision, question: Question, world: World): readonly string[] {
  const { method, customer } = question;
  if (decision.kind === 'pass') return [];
  if (decision.kind === 'write') {
    return [
      ...(method === 'POST' ? ['without an Idempotency-Key it is given one'] : []),
      ...(decision.capability?.replicated
        ? ['should a fence turn it away, nothing has happened, and it goes to the other side']
        : []),
    ];
  }
  const { capability, side } = decision;
  return [
    ...(isInDoubt(capability, customer, world.circumstances)
      ? ['ownership is moving or news of it is not pushed: it is first made sure who the owner is']
      : []),
    ...(side === world.circumstances.ownership(capability).owner
      ? []
      : ['should that server fail, the owner is asked']),
  ];
}
