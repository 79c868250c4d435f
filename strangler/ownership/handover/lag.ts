/** How far the side that follows is behind. */
export interface Lag {
  /** Changes in the owner's feed that the other side has not applied. */
  readonly changes: number;
  /** Age of the oldest of them, in ms; 0 when there is none. */
  readonly ms: number;
}
