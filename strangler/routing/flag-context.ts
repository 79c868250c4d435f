/** Who asks for a flag. */
export interface FlagContext {
  /** The customer; nobody has none. */
  readonly userId?: string;
  /** Stands for one request of nobody's, in shares only. */
  readonly draw?: string;
}

/** Under it Unleash's strategies find the draw: constraints name their fields, and this has no name. */
export const DRAW: unique symbol = Symbol('draw');
