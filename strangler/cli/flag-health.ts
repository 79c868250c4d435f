import type { Finding } from '../doctor/index.ts';
import type { CapabilityStatus } from '../engine/index.ts';
import { unreadableText } from '../../routing/index.ts';
import type { FlagsState } from '../../routing/index.ts';

/** The flags as whoever acts by them knows them. */
export interface KnownFlags {
  readonly flags: FlagsState;
  readonly capabilities: readonly Pick<CapabilityStatus, 'capability' | 'shares'>[];
}

/** What is wrong with the flags: that they can't be read, or that a switch asks for nothing. */
export function flagFindings({ flags, capabilities }: KnownFlags): readonly Finding[] {
  const unreadable = unreadableText(flags);
  const none = { remedies: [], repair: null } as const;
  if (unreadable !== null) {
    const why =
      'what is set there has no effect meanwhile; ownership moves only by fig switch and fig reverse';
    const code = 'flags_unreadable';
    return [{ ...none, code, capability: null, level: 'broken', what: unreadable, why }];
  }
  return capabilities.flatMap(({ capability, shares }) => {
    const refused = shares?.conditions.writes;
    if (refused === undefined) return [];
    const what = `${capability}.writes asks for nothing: ${refused}`;
    const why = 'ownership stays where it is until the flag is on or off for everybody';
    const remedies = [
      {
        command: `fig flags set ${capability}.writes off`,
        reason: 'where legacy is to own the writes',
      },
      {
        command: `fig flags set ${capability}.writes on --overwrite`,
        reason: 'where extracted is to',
      },
    ];
    return [{ ...none, code: 'switch_refused', capability, level: 'broken', what, why, remedies }];
  });
}
