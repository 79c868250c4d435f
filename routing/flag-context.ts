/** Who asks for a flag. */
export interface FlagContext {
  /** The customer; absent for an anonymous request. */
  readonly userId?: string;
  /** Stands for one anonymous request, in shares only. */
  readonly draw?: string;
}

/** Under it Unleash's strategies find the draw: constraints name their fields, and this has no name. */
export const DRAW: unique symbol = Symbol('draw');
