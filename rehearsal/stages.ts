/** One thing the operator does, and the share of the orders at which it is due. */
export type Stage =
  | { readonly at: number; readonly verb: 'backfill' | 'reconcile'; readonly capability: string }
  | {
      readonly at: number;
      readonly verb: 'flag';
      readonly capability: string;
      readonly flag: 'shadow' | 'reads';
      readonly share: number;
    }
  | {
      readonly at: number;
      readonly verb: 'switch' | 'reverse';
      readonly capability: string;
    };

/** What a stage is called on screen and in errors. */
export function stageName(stage: Stage): string {
  const rest = stage.verb === 'flag' ? `.${stage.flag} ${stage.share} %` : '';
  return stage.verb === 'flag' ? `${stage.capability}${rest}` : `${stage.verb} ${stage.capability}`;
}

const OUT = ['inventory', 'payment'] as const;

function forward(capability: string, from: number, to: number): Stage[] {
  const flag = (at: number, name: 'shadow' | 'reads', share: number): Stage => ({
    at,
    verb: 'flag',
    capability,
    flag: name,
    share,
  });
  const steps: ((at: number) => Stage)[] = [
    (at) => ({ at, verb: 'backfill', capability }),
    (at) => flag(at, 'shadow', 100),
    (at) => flag(at, 'reads', 10),
    (at) => flag(at, 'reads', 50),
    (at) => flag(at, 'reads', 100),
    (at) => ({ at, verb: 'reconcile', capability }),
    (at) => ({ at, verb: 'switch', capability }),
  ];
  return steps.map((make, index) => make(from + ((to - from) * index) / steps.length));
}

/** A move of a capability whose data is in step already. */
function handover(verb: 'switch' | 'reverse', at: number, capability: string): Stage[] {
  return [
    { at, verb: 'reconcile', capability },
    { at: at + 0.02, verb, capability },
  ];
}

/** Both capabilities out, both back, both out again, spread over the orders. */
export function migrationPlan(): Stage[] {
  return [
    ...forward(OUT[0], 0.04, 0.3),
    ...forward(OUT[1], 0.3, 0.56),
    ...handover('reverse', 0.6, OUT[0]),
    ...handover('reverse', 0.68, OUT[1]),
    ...handover('switch', 0.77, OUT[0]),
    ...handover('switch', 0.86, OUT[1]),
  ];
}
