/** An upstream's answer as a whole. */
export interface WholeAnswer {
  readonly status: number;
  /** Names and values in turn. */
  readonly fields: readonly string[];
  readonly body: Buffer;
}

/** Sees an upstream's answer as a whole before the client gets any of it, and may give another instead. */
export interface AnswerFilter {
  /**
   * Called once the head of an answer is there whose status may have a body: not for 204 or 304.
   * @returns up to how many bytes of body it takes; 0: the answer passes as it comes
   */
  takes(status: number, fields: readonly string[]): number;
  /** @throws Problem that the client gets instead */
  pass(answer: WholeAnswer): WholeAnswer;
  /**
   * There is more body than it takes: the answer passes as it comes.
   * @throws Problem that the client gets instead
   */
  overflow(): void;
  /** What the client gets instead of a refusal of the facade's, for want of an answer. */
  insteadOf?(status: number): WholeAnswer | undefined;
}
