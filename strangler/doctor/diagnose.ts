import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import type { Parting } from '../replication/copy/index.ts';
import { busyEngine, plural, someOf } from '../wording.ts';
import type { DatabaseFacts, EngineFacts } from './facts.ts';
import { fencesText, fenceStory, nextOf, nextStory } from './fence-story.ts';
import { decisionText, isBrokenOff } from './finding.ts';
import type { Finding, Remedy } from './finding.ts';

const SIDES: readonly SideName[] = ['legacy', 'extracted'];

interface Case {
  readonly facts: DatabaseFacts;
  readonly engine: EngineFacts | null;
  readonly late: string | null;
}

/**
 * Says what is wrong with a capability, and what helps; the gravest first. Pure.
 * @param late why the engine's port takes connections and sends no answer in time; null where it does not
 */
export function diagnose(
  facts: DatabaseFacts,
  engine: EngineFacts | null,
  late: string | null = null,
): readonly Finding[] {
  const one = { facts, engine, late };
  const unreadable = [...unreachable(one), ...notInstalled(one)];
  if (unreadable.length > 0) return [...unreadable, ...deadEngine(one)];
  if (facts.completion !== null) return completing(one);
  const undecided = [...owners(one), ...keyOwners(one), ...olderSelf(one)];
  const waits = undecided.some(({ level }) => level === 'decision');
  return [
    ...undecided,
    ...interrupted(one),
    ...drifted(one),
    ...lostFeed(one),
    ...demanded(one),
    ...parkedChanges(one),
    ...dangling(one),
    ...deadEngine(one, waits),
    ...unfulfilled(one),
  ];
}

function finding(
  { facts }: Case,
  code: string,
  rest: Pick<Finding, 'what' | 'why'> & Partial<Finding>,
): Finding {
  const { capability } = facts;
  return { code, capability, level: 'broken', remedies: [], repair: null, ...rest };
}

function doctor({ facts }: Case, words = ''): Remedy {
  const command = `fig doctor ${facts.capability} --repair${words}`;
  return { command, reason: 'mends it' };
}

/** The ways out where one database is right and only a person knows which. */
function trusting(one: Case): readonly Remedy[] {
  return SIDES.flatMap((side) => trustingOne(one, side));
}

function trustingOne(one: Case, side: SideName): readonly Remedy[] {
  const { fences, capability, parting } = one.facts;
  const other = otherSide(side);
  const owns = fences?.[side].state === 'open' && fences[other].state !== 'open';
  const alone = isCompared(parting) ? parting.only[other].rows : null;
  const lost =
    alone === null ? '' : alone === 0 ? '' : `, and ${plural(alone, 'row')} of ${other} are lost`;
  const { command } = doctor(one, ` --trust ${side}`);
  const without = owns
    ? {
        command: `fig backfill ${capability} --restart`,
        reason: `${side}'s rows are right as they are; the other side is copied anew${lost}`,
      }
    : { command, reason: `${side}'s rows are right: it becomes the owner${lost}` };
  if (alone === 0) return [without];
  const count = alone === null ? 'the rows' : `the ${plural(alone, 'row')}`;
  const keep = {
    command: `${command} --keep`,
    reason: `${side}'s rows are right, and it takes over ${count} that only ${other} has`,
  };
  return [keep, without];
}

function isCompared(parting: DatabaseFacts['parting']): parting is Parting {
  return parting !== null && typeof parting !== 'string';
}

/** What was compared, in numbers and names; never more than that. */
function partingText({ facts: { parting } }: Case): string {
  if (parting === null) return 'the two have not been compared';
  if (typeof parting === 'string') return `the two have not been compared: ${parting}`;
  const { only, different } = parting;
  const kinds = [
    ['only on legacy', only.legacy],
    ['only on extracted', only.extracted],
    ['not the same on both', different],
  ] as const;
  const said = kinds
    .filter(([, { rows }]) => rows > 0)
    .map(([where, { rows, named }]) => {
      const more = rows > named.length ? ', …' : '';
      return `${plural(rows, 'row')} ${where} (${named.join(', ')}${more})`;
    });
  return said.length === 0 ? 'compared row by row, the two hold the same' : said.join('; ');
}

function unreachable(one: Case): readonly Finding[] {
  return SIDES.flatMap((side) => {
    const reason = one.facts.trouble[side];
    if (reason === undefined) return [];
    const why = `without it nothing can be said of ${one.facts.capability}, moved or mended`;
    const remedies = [{ command: 'fig config print', reason: 'shows where it should be' }];
    return [finding(one, 'database_unreachable', { what: reason, why, remedies })];
  });
}

function notInstalled(one: Case): readonly Finding[] {
  const missing = SIDES.filter(
    (side) => one.facts.trouble[side] === undefined && !one.facts.installed[side],
  );
  if (missing.length === 0) return [];
  const what = `nothing of Fig is installed on ${missing.join(' and ')}`;
  const why =
    missing.length === 2
      ? 'an engine installs it when it first starts'
      : 'one side alone is fenced: an engine puts the other one back when it starts, or the database was replaced';
  const remedies = [{ command: 'npm start', reason: 'the engine installs what is missing' }];
  return [finding(one, 'not_installed', { what, why, remedies })];
}

function completing(one: Case): readonly Finding[] {
  const { completion, capability } = one.facts;
  if (completion === 'done' || one.engine !== null) return [];
  const what = 'its last step was begun and is not done';
  const why = 'an engine goes on with it where it was interrupted';
  const remedies = [
    { command: 'npm start', reason: 'the engine goes on' },
    { command: `fig complete ${capability}`, reason: 'tells how far it is' },
  ];
  return [finding(one, 'completion_interrupted', { what, why, remedies })];
}

function owners(one: Case): readonly Finding[] {
  const { fences, unfinished } = one.facts;
  if (!fences) return [];
  const { legacy, extracted } = fences;
  const what = `${fencesText(fences)}: ${fenceStory(fences, unfinished)}`;
  if (legacy.state === 'open' && extracted.state === 'open') {
    const why = `only a restored backup, or a hand in the fences, gets there; writes are being split; ${partingText(one)}`;
    if (legacy.epoch === extracted.epoch) {
      const remedies = trusting(one);
      const level = 'decision';
      return [finding(one, 'two_owners', { level, what, why, remedies, trusts: SIDES })];
    }
    const side = legacy.epoch < extracted.epoch ? 'legacy' : 'extracted';
    const repair = { kind: 'close', side, fence: fences[side] } as const;
    const remedies = [doctor(one)];
    // The fence that is behind is closed without asking; a person may know better.
    return [finding(one, 'two_owners', { what, why, remedies, repair, trusts: SIDES })];
  }
  if (legacy.state === 'open' || extracted.state === 'open' || unfinished) return [];
  const why = `every write is refused until you say which database is right; ${partingText(one)}`;
  const remedies = trusting(one);
  return [finding(one, 'no_owner', { level: 'decision', what, why, remedies, trusts: SIDES })];
}

/** A key whose owner is not one is as bad for those whose rows these are as for all. */
function keyOwners(one: Case): readonly Finding[] {
  const { astray, fences } = one.facts;
  const [first] = astray;
  const rest = fences && SIDES.filter((side) => fences[side].state === 'open');
  // Where the rest has not one owner either, that comes first, and what mends it mends all.
  if (!first || rest?.length !== 1) return [];
  const keys = someOf(astray.map(({ key }) => key));
  const what = `${keys}: ${fencesText(first)}: ${fenceStory(first, null)}`;
  const why =
    'single keys moved ahead of the rest, and a restored backup, or a hand in the fences, left them ' +
    'without exactly one owner';
  const twice = astray.filter(({ legacy, extracted }) => legacy.state === extracted.state);
  const behind = twice.filter(({ legacy, extracted }) => legacy.epoch !== extracted.epoch);
  if (first.legacy.state !== 'open' || behind.length !== astray.length) {
    const remedies = SIDES.map((side) => ({
      command: doctor(one, ` --trust ${side}`).command,
      reason: `${side}'s rows are right: it becomes the owner of everything`,
    }));
    const level = 'decision';
    return [finding(one, 'keys_without_owner', { level, what, why, remedies, trusts: SIDES })];
  }
  const side = first.legacy.epoch < first.extracted.epoch ? 'legacy' : 'extracted';
  const repair = { kind: 'close_keys', side, keys: behind } as const;
  const remedies = [doctor(one)];
  return [finding(one, 'keys_owned_twice', { what, why, remedies, repair, trusts: SIDES })];
}

/** A restored follower can be made whole again; a restored owner has lost what it had acknowledged. */
function olderSelf(one: Case): readonly Finding[] {
  const { older, fences, capability, parting } = one.facts;
  return older.map(({ side, reason }) => {
    const what = `${side} was restored from a backup, or replaced: ${reason}`;
    const right = decidedFor(one);
    if (right !== null) {
      const why = `a person has decided that ${right} is right; ${partingText(one)}`;
      // The operator may decide otherwise, but the doctor does not advise it.
      return finding(one, 'older_self', {
        what,
        why,
        remedies: copying(one, right),
        trusts: SIDES,
      });
    }
    const follows = fences?.[otherSide(side)].state === 'open';
    const owner = otherSide(side);
    const compared = isCompared(parting);
    // Rows that differ are as old as the copy; what the owner has not at all, somebody may miss.
    const ahead = compared && parting.only[side].rows > 0;
    if (follows && ahead) {
      const why = `${owner} owns ${capability}, and may lack what ${side} took: ${partingText(one)}`;
      const remedies = trustingOne(one, owner);
      return finding(one, 'older_self', {
        level: 'decision',
        what,
        why,
        remedies,
        trusts: [owner],
      });
    }
    if (follows) {
      const why = compared
        ? `${owner} owns ${capability} and lacks nothing that ${side} has: ${partingText(one)}`
        : `${owner} owns ${capability}, and ${side}'s copy is old; ${partingText(one)}`;
      const remedies = copying(one, owner);
      return finding(one, 'older_self', { what, why, remedies });
    }
    const why = `writes that were acknowledged are missing on ${side}; ${partingText(one)}`;
    const remedies = trusting(one);
    return finding(one, 'older_self', { level: 'decision', what, why, remedies, trusts: SIDES });
  });
}

/** The side that a person has declared right, and that owns everything since; null where none is. */
function decidedFor({ facts: { demand, fences } }: Case): SideName | null {
  const right = SIDES.find((side) => demand?.reason === decisionText(side));
  return right !== undefined && fences?.[right].state === 'open' ? right : null;
}

/** How the other side becomes what the owner is. */
function copying({ facts: { capability } }: Case, owner: SideName): readonly Remedy[] {
  return [
    { command: `fig reconcile ${capability} --repair`, reason: `brings ${owner}'s rows over` },
    { command: `fig backfill ${capability} --restart`, reason: 'copies everything again' },
  ];
}

function interrupted(one: Case): readonly Finding[] {
  const { facts, engine } = one;
  const { unfinished, fences, now } = facts;
  if (!unfinished || !fences) return [];
  const next = nextOf(facts);
  const { from, to, epoch, deadline, startedAt } = unfinished;
  const what = `a handover from ${from} to ${to} (epoch ${epoch}) is unfinished for ${Math.round((now - startedAt) / 1_000)} s`;
  const means = `${fencesText(fences)}: ${fenceStory(fences, unfinished)}; ${nextStory(unfinished, next)}`;
  if (engine?.standing === 'leader') {
    const late = now > deadline + 5_000;
    return [
      finding(one, late ? 'handover_stuck' : 'handover_under_way', {
        level: late ? 'broken' : 'notice',
        what,
        why: `${means}; the engine is at it`,
        remedies: [{ command: `fig journal ${facts.capability}`, reason: 'tells step by step' }],
      }),
    ];
  }
  if (next.kind === 'alarm') {
    return [
      finding(one, 'handover_impossible', {
        level: 'decision',
        what,
        why: means,
        remedies: trusting(one),
        trusts: SIDES,
      }),
    ];
  }
  const remedies = [doctor(one), { command: 'npm start', reason: 'an engine does the same' }];
  const repair = { kind: 'end_handover' } as const;
  // A person's decision has no time to lose: one that was cut off may be said again.
  const trusts = deadline === startedAt ? [to] : [];
  return [finding(one, 'handover_interrupted', { what, why: means, remedies, repair, trusts })];
}

function drifted(one: Case): readonly Finding[] {
  return SIDES.flatMap((side) => {
    const { capability, drift, unfit } = one.facts;
    if (drift[side].length === 0) return [];
    const why = 'writes may pass the fence or stay out of the feed, and no handover begins';
    const what = drift[side].join('; ');
    if (unfit[side].length > 0) {
      const unusable = `the mapping can't be used with it: ${unfit[side].join('; ')}; ${why}`;
      const remedies = [{ command: `fig check ${capability}`, reason: 'once that is mended' }];
      return [finding(one, 'schema_unfit', { what, why: unusable, remedies })];
    }
    const repair = { kind: 'reinstall', side } as const;
    const accept = `fig check ${capability} --accept`;
    const remedies = [
      doctor(one),
      { command: accept, reason: 'where the schema is meant to be as it is now' },
    ];
    return [finding(one, 'schema_drift', { what, why, remedies, repair })];
  });
}

function lostFeed(one: Case): readonly Finding[] {
  const { feedLost, capability } = one.facts;
  if (feedLost === null) return [];
  const why = 'the other side can only be copied again; until then it falls behind';
  const remedies = [
    { command: `fig backfill ${capability} --restart`, reason: 'copies everything' },
  ];
  return [finding(one, 'feed_lost', { what: feedLost, why, remedies })];
}

function demanded(one: Case): readonly Finding[] {
  const { demand, capability, fences } = one.facts;
  if (demand === null) return [];
  // A decision that was cut off before it took effect may be said again.
  const trusts = SIDES.filter(
    (side) => demand.reason === decisionText(side) && fences?.[side].state !== 'open',
  );
  if (isBrokenOff(demand.reason)) {
    const why = 'what a gate asks for fails: no handover begins until it comes to its end';
    const remedies = [
      { command: `fig check ${capability}`, reason: 'may name the column or the row' },
      { command: `fig reconcile ${capability}`, reason: 'once that is mended' },
    ];
    return [finding(one, 'remedy_fails', { what: demand.reason, why, remedies })];
  }
  const what = `both sides have to be compared as a whole: ${demand.reason}`;
  const why = 'nothing is handed over before that, and a difference would be a lost write';
  const remedies = [{ command: `fig reconcile ${capability}`, reason: 'compares all rows' }];
  return [finding(one, 'reconcile_demanded', { what, why, remedies, trusts })];
}

function parkedChanges(one: Case): readonly Finding[] {
  const { parked, capability } = one.facts;
  if (parked === null) return [];
  const what = `${parked.changes} changes could not be applied and are parked: ${parked.reason}`;
  const why = 'their rows are old on the other side, reads stay with the owner, no handover begins';
  const remedies = [
    { command: `fig parked list ${capability}`, reason: 'shows which rows to mend' },
    { command: `fig parked retry ${capability}`, reason: 'once they are mended' },
  ];
  return [finding(one, 'changes_parked', { what, why, remedies })];
}

/** Where the mapping gives a reason why this does no harm, that it happens is still worth knowing. */
function dangling(one: Case): readonly Finding[] {
  const found = one.facts.dangling;
  if (found.length === 0) return [];
  const what = found.join('; ');
  const why =
    'no database enforces a foreign key between a table that moves and one that does not, and the engine ' +
    'carries out only cascades that the mapping declares; a dump of this database can not be restored with ' +
    'the key, and the rows are for the business to mend';
  return [finding(one, 'dangling_rows', { level: 'notice', what, why })];
}

/** @param waits whether a person has to decide first which database is right */
function deadEngine(one: Case, waits = false): readonly Finding[] {
  const { engine, late, facts } = one;
  const alive = facts.lease !== null && facts.lease.expiresAt > facts.now;
  const why = 'nothing follows and nothing moves meanwhile; the owner goes on taking writes';
  const start = { command: 'npm start', reason: 'or see to the process that should run it' };
  const remedies = waits ? [] : [start];
  if (engine?.standing === 'waiting') {
    const what = `the engine can't act: ${engine.reason ?? 'it does not say why'}`;
    return [finding(one, 'engine_waiting', { what, why, remedies: [] })];
  }
  if (engine !== null) return [];
  if (alive && late !== null) {
    const what = busyEngine(late, facts.lease?.holder ?? '');
    const patient = [{ command: 'fig status -w', reason: 'shows it as soon as it answers' }];
    return [
      finding(one, 'engine_late', {
        what,
        why: 'commands to it may take long, too',
        remedies: patient,
      }),
    ];
  }
  const holder = facts.lease?.holder;
  const last =
    holder === undefined ? 'none has led' : `the last was ${holder}, which is dead or paused`;
  const what = alive
    ? `no engine answers, but ${holder} keeps its lease: it is elsewhere, or does not listen`
    : `no engine is at work: ${last}`;
  const first = 'the decision which database is right comes first, and needs none';
  const rest = { what, why: waits ? first : why, remedies };
  return [finding(one, alive ? 'engine_elsewhere' : 'engine_dead', rest)];
}

/** What the flags ask for is not what is, and why that is so. */
function unfulfilled(one: Case): readonly Finding[] {
  const { engine, facts } = one;
  const { capability, fences } = facts;
  const to = engine?.intent.to ?? null;
  if (!engine || to === null || fences?.[to].state === 'open') return [];
  const what = `${capability}.writes asks for ${to}, which is not the owner`;
  const { spent, refused } = engine.intent;
  const verb = to === 'extracted' ? 'switch' : 'reverse';
  if (spent !== null) {
    const why = `it was tried and taken back, and is not tried again by itself: ${spent}`;
    const remedies = [{ command: `fig ${verb} ${capability}`, reason: 'tries it again' }];
    return [finding(one, 'intent_spent', { level: 'notice', what, why, remedies })];
  }
  if (!refused) return [];
  const why = `it waits until it is safe: ${refused.reason}`;
  const remedies = refused.next === null ? [] : [{ command: refused.next, reason: refused.reason }];
  return [finding(one, 'intent_waits', { level: 'notice', what, why, remedies })];
}
