/** Whether this engine acts on a capability. */
export type Standing =
  | {
      readonly as: 'waiting';
      readonly reason: string;
      /** Whether the mapping can't be used with a database: then waiting alone does not help. */
      readonly unfit?: true;
    }
  /** The engine that has the lease, by its holder's name: host, process and run. */
  | { readonly as: 'standby'; readonly leader: string | null }
  /** Nothing is left to do: extracted has it for good. */
  | { readonly as: 'complete'; readonly since: number; readonly epoch: number }
  | { readonly as: 'leader' };

/** Why a capability's databases are not open. */
export function waitingReason(standing: Standing): string {
  return standing.as === 'waiting' ? standing.reason : 'the engine has just let go of it';
}
