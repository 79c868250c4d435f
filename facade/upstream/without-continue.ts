const HEAD = Buffer.from('HTTP/1.');
const PROTOCOL_BYTES = 'HTTP/'.length;
const STATUS_AT = 9;
const LAST_DIGIT_AT = STATUS_AT + 2;
const [ZERO, ONE, TWO] = [0x30, 0x31, 0x32];
const [CR, LF] = [0x0d, 0x0a];

/**
 * Makes a 102 Processing of each 100 Continue that comes before an answer. Nobody waits for either,
 * and a client has to ignore both (RFC 9110 15.2), but undici gives up on a 100. A head may come in
 * any number of pieces.
 *
 * It also spoils the first byte that is not HTTP's: undici would take RTSP and ICE for it.
 */
export class WithoutContinue {
  /** How much of a head has been read that may be an interim answer's. */
  #at = 0;
  /** Whether all digits of its status were a 100's so far. */
  #isContinue = true;
  /** Whether the last line has ended, and nothing of the next one has come. */
  #isLineStart = false;
  /** Whether what comes is the answer itself. */
  #isOver = false;

  /** Another answer is to come. */
  reset(): void {
    this.#beginHead();
    this.#isOver = false;
  }

  /** @param chunk what has come of an answer whose head is not whole yet; changed in place */
  pass(chunk: Buffer): void {
    for (let index = 0; index < chunk.length && !this.#isOver; index += 1) {
      const at = this.#at;
      if (at === 0 && isLineEnd(chunk[index])) continue;
      this.#at += 1;
      if (at <= LAST_DIGIT_AT) this.#readStatus(chunk, index, at);
      else this.#readFields(chunk[index] as number);
    }
  }

  #beginHead(): void {
    this.#at = 0;
    this.#isContinue = true;
    this.#isLineStart = false;
  }

  #readStatus(chunk: Buffer, index: number, at: number): void {
    const byte = chunk[index];
    if (at < HEAD.length) {
      this.#isOver = byte !== HEAD[at];
      if (this.#isOver && at < PROTOCOL_BYTES) chunk[index] = 0;
    } else if (at === STATUS_AT) {
      this.#isOver = byte !== ONE;
    } else if (at > STATUS_AT) {
      this.#isContinue &&= byte === ZERO;
    }
    if (at === LAST_DIGIT_AT && this.#isContinue) chunk[index] = TWO;
  }

  #readFields(byte: number): void {
    if (byte === LF && this.#isLineStart) this.#beginHead();
    else if (byte !== CR) this.#isLineStart = byte === LF;
  }
}

/** Blank lines may come before a status line, and are ignored. */
function isLineEnd(byte: number | undefined): boolean {
  return byte === CR || byte === LF;
}
