import { otherSide } from '../../routing/index.ts';
import type { Flags, SideName } from '../../routing/index.ts';
import type { Capability, Match, ReadMatch, WriteMatch } from '../match/index.ts';
import type { CanonicalVersions } from '../request/index.ts';
import type { Route, RoutedRequest, RouteReason, RoutingSnapshot } from './route.ts';

/** A server behind the facade. */
export interface Destination {
  readonly name: string;
  readonly url: string;
}

/** What an explanation names, beside what has decided. */
export interface Names {
  readonly flags: Pick<Flags, 'rule' | 'bucket'>;
  readonly stickyHeader: string;
  readonly monolith: Destination;
  upstreamFor(match: Match, to: SideName | 'monolith'): Destination;
  readonly versions: CanonicalVersions | undefined;
  upstreamOf(capability: Capability, side: SideName): Destination;
}

interface Reason {
  /** For programs. */
  readonly reason: string;
  /** For people. */
  readonly why: string;
}

/** Why a read is answered by the side that it is answered by. */
export function whyRead(
  { reason, to }: Route,
  { form }: RoutedRequest,
  { capability }: ReadMatch,
  { flags, stickyHeader, upstreamOf }: Names,
): Reason {
  const name = (of: SideName): string => upstreamOf(capability, of).name;
  const flag = capability.flags.reads;
  const { share, conditions } = flags.rule(flag);
  const { customer } = form;
  const isPlain = conditions === null;
  if (customer === undefined && !capability.replicated && isPlain && share > 0 && share < 100) {
    const drawn = `${name('extracted')} answers ${share} % of such requests, ${name('legacy')} the rest`;
    return { reason: 'drawn', why: `without ${stickyHeader} each request is drawn anew: ${drawn}` };
  }
  // Where conditions decide, too, a place in the share alone would be a wrong reason.
  const bucket = customer === undefined || !isPlain ? undefined : flags.bucket(flag, customer);
  const standing =
    bucket === undefined ? '' : `, by ${customer ?? 'nobody'}'s place ${bucket} of 100,`;
  const unnamed = customer === undefined ? stickyHeader : capability.cohorts?.header;
  const turns: Readonly<Partial<Record<RouteReason, string>>> = {
    owner: 'the owner',
    flag: 'which may serve',
    not_ready: 'which is not ready: not whole, or more than a second behind',
    anonymous: `but without ${unnamed ?? stickyHeader} the caller's own writes are unknown`,
    own_write: `which may not yet have every write of ${customer ?? 'the caller'}`,
  };
  const side = to === 'extracted' ? to : 'legacy';
  const wanted = reason === 'owner' || reason === 'flag' ? side : otherSide(side);
  return {
    reason,
    why: `${flag} (${conditions ?? `${share} %`})${standing} asks for ${name(wanted)}, ${turns[reason] ?? ''}`,
  };
}

/** Why a write is sent where it is sent. */
export function whyWritten(
  { to, ownership, refused }: Route,
  { capability, changes }: WriteMatch,
  { monolith, upstreamOf }: Names,
): Reason {
  if (!capability || !ownership || to === 'monolith') {
    const names = changes.map(({ name }) => name).join(' and ');
    const why = `the route is ${monolith.name}'s, which changes ${names} at the owner`;
    return { reason: 'touches', why };
  }
  const { name } = upstreamOf(capability, to);
  if (refused?.code === 'owner_unknown') {
    const why = `${refused.flag} asks for nothing (${refused.why}): writes are refused with 503`;
    return { reason: 'unknown', why };
  }
  if (!capability.replicated) {
    const state = to === 'extracted' ? 'on' : 'off';
    return { reason: 'flag', why: `${capability.flags.writes} is ${state}: ${name} takes writes` };
  }
  const { epoch, known, inCohort, key } = ownership;
  const whose = inCohort ? ` of ${key ?? ''}` : '';
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
  { wait, alternative }: Route,
  { form, match }: RoutedRequest,
  { ownership }: RoutingSnapshot,
): readonly string[] {
  if (match.kind === 'pass') return [];
  const isUnknown = (of: Capability): boolean => ownership.of(of, form).isUnknown;
  if (match.kind === 'write') {
    return [
      ...match.changes.filter(isUnknown).map(noteOnKeys),
      ...(form.method === 'POST' ? ['the facade adds an Idempotency-Key where there is none'] : []),
      ...(match.capability?.replicated
        ? ['if a fence refuses it, nothing has happened, and it is sent to the other side']
        : []),
    ];
  }
  const { capability } = match;
  return [
    ...(isUnknown(capability) ? [noteOnKeys(capability)] : []),
    ...(wait !== undefined && !isUnknown(capability)
      ? [
          'ownership is moving or routing updates are not pushed: the facade confirms the owner first',
        ]
      : []),
    ...(alternative === undefined ? [] : ['if that server fails, the owner is asked']),
  ];
}

function noteOnKeys({ name, cohorts }: Capability): string {
  return (
    `some keys of ${name} have moved, and without ${cohorts?.header} the request's key is ` +
    'unknown: the default owner is asked first'
  );
}
