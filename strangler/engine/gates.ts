import { judgeGates, refusalOf } from '../ownership/handover/gates.ts';
import type { GateFacts, GateLimits } from '../ownership/handover/gates.ts';
import type { Gate, GateName } from '../ownership/handover/gate.ts';
import { UNTRIED } from '../ownership/handover/proofs.ts';
import type { Keys } from '../ownership/fence-rows.ts';
import { otherSide } from '../../routing/side.ts';
import type { SideName } from '../../routing/side.ts';
import { readGateFacts } from './gate-facts.ts';
import { readInvariants } from './invariants.ts';
import { isSplit } from '../replication/direction.ts';
import { fencesIn } from '../sides/facts.ts';
import type { Facts } from '../sides/facts.ts';
import type { OpenCapability } from './open-capability.ts';
import { proveWayBack } from './way-back.ts';

/** While one of these is closed, there is nothing to prove. */
const BEFORE_PROOFS: ReadonlySet<GateName> = new Set([
  'reachable',
  'fences',
  'mapping',
  'schema',
  'backfill',
  'broken',
  'parked',
  'lag',
]);
/** How long a flag's wish goes by what was proven last, in ms: it is looked at all the time. */
const REMEMBERED_MS = 5_000;

type Proofs = Pick<GateFacts, 'invariants' | 'wayBack'>;

const NOTHING_PROVEN: Proofs = { invariants: UNTRIED, wayBack: UNTRIED };

/** Knows whether a capability may move. */
export class Gates {
  readonly #limits: GateLimits | undefined;
  #proven: { readonly to: SideName; readonly at: number; readonly proofs: Proofs } | undefined;

  constructor(limits: GateLimits | undefined) {
    this.#limits = limits;
  }

  /** Judges all gates for somebody who asks in person: everything that can be tried is tried. */
  async judge(
    opened: OpenCapability,
    facts: Facts,
    to: SideName,
    keys: Keys = null,
  ): Promise<readonly Gate[]> {
    const known = await readGateFacts(opened, facts, to, keys);
    const closed = this.#judge(known, NOTHING_PROVEN).filter(({ ok }) => !ok);
    const provable = !closed.some(({ gate }) => BEFORE_PROOFS.has(gate));
    return this.#judge(known, provable ? await this.#prove(opened, facts, to) : NOTHING_PROVEN);
  }

  /** The same for a wish that is looked at all the time: proofs come last, and now and then. */
  async glance(opened: OpenCapability, facts: Facts, to: SideName): Promise<readonly Gate[]> {
    const known = await readGateFacts(opened, facts, to);
    const gates = this.#judge(known, NOTHING_PROVEN);
    const refusal = refusalOf(gates);
    if (refusal && refusal.gate !== 'invariants' && refusal.gate !== 'way_back') return gates;
    const proven = this.#proven;
    const fresh = proven?.to === to && performance.now() - proven.at < REMEMBERED_MS;
    return this.#judge(known, fresh ? proven.proofs : await this.#prove(opened, facts, to));
  }

  /** Judges what can be said without proving anything, and by what was proven last. */
  async show(opened: OpenCapability, facts: Facts, to: SideName): Promise<readonly Gate[]> {
    const proofs = this.#proven?.to === to ? this.#proven.proofs : NOTHING_PROVEN;
    return this.#judge(await readGateFacts(opened, facts, to), proofs);
  }

  #judge(facts: GateFacts, proofs: Proofs): readonly Gate[] {
    return judgeGates({ ...facts, ...proofs }, this.#limits);
  }

  async #prove(opened: OpenCapability, facts: Facts, to: SideName): Promise<Proofs> {
    const { sides, declaration } = opened;
    const { invariants = [] } = declaration;
    const both = isSplit(await fencesIn(facts));
    const readings = await readInvariants(invariants, sides[otherSide(to)], sides[to], both);
    const proofs: Proofs = {
      invariants: { tried: true, result: readings },
      wayBack: { tried: true, result: await proveWayBack(opened, to) },
    };
    this.#proven = { to, at: performance.now(), proofs };
    return proofs;
  }
}
