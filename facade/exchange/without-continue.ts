const HEAD = Buffer.from('HTTP/1.');
const STATUS_AT = 9;
const ONE = 0x31;
const ZERO = 0x30;
const TWO = 0x32;
const HEAD_END = '\r\n\r\n';

/**
 * Makes a 102 Processing of each 100 Continue that comes before an answer. Nobody waits for either,
 * and a client has to ignore both (RFC 9110 15.2), but undici gives up on a 100.
 * @param chunk what has come of an answer whose head is not whole yet; changed in place
 */
export function withoutContinue(chunk: Buffer): void {
  for (let at = 0; isInformation(chunk, at);) {
    if (chunk[at + STATUS_AT + 1] === ZERO && chunk[at + STATUS_AT + 2] === ZERO) {
      chunk[at + STATUS_AT + 2] = TWO;
    }
    const end = chunk.indexOf(HEAD_END, at, 'latin1');
    if (end === -1) return;
    at = end + HEAD_END.length;
  }
}

function isInformation(chunk: Buffer, at: number): boolean {
  if (chunk[at + STATUS_AT] !== ONE) return false;
  return chunk.compare(HEAD, 0, HEAD.length, at, at + HEAD.length) === 0;
}
