/** The first answer in what a client got. */
export interface ReadAnswer {
  readonly status: number;
  readonly reason: string;
  readonly fields: readonly string[];
  /** How its length is told: `length 5`, `chunked`, `no length`. */
  readonly framing: string;
  readonly body: string;
  readonly trailers: string;
  /** What came after it. */
  readonly rest: string;
}

/**
 * Reads an answer as a strict client does.
 * @param method of the request: an answer to HEAD has no body
 * @returns undefined while it is not whole; what ends with its connection is taken as whole
 */
export function readAnswer(text: string, method: string): ReadAnswer | undefined {
  const end = text.indexOf('\r\n\r\n');
  const head = /^HTTP\/1\.1 (\d{3}) ?([^\r\n]*)(?:\r\n|$)/.exec(text);
  if (end === -1 || !head) return undefined;
  const status = Number(head[1]);
  const fields = text.slice(head[0].length, end).split('\r\n');
  const after = text.slice(end + 4);
  if (status < 200) return readAnswer(after, method);
  const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(text.slice(0, end + 2))?.[1];
  const chunked = /\r\ntransfer-encoding: *chunked\r\n/i.test(text.slice(0, end + 2));
  const framing = length === undefined ? (chunked ? 'chunked' : 'no length') : `length ${length}`;
  const about = { status, reason: head[2] ?? '', fields, framing };
  if (method === 'HEAD' || status === 204 || status === 304) {
    return { ...about, body: '', trailers: '', rest: after };
  }
  if (chunked) return withChunks(about, after);
  const bytes = length === undefined ? after.length : Number(length);
  if (after.length < bytes) return undefined;
  return { ...about, body: after.slice(0, bytes), trailers: '', rest: after.slice(bytes) };
}

function withChunks(
  about: Pick<ReadAnswer, 'status' | 'reason' | 'fields' | 'framing'>,
  text: string,
): ReadAnswer | undefined {
  let body = '';
  for (let at = 0; ;) {
    const line = /^([0-9a-fA-F]+)\r\n/.exec(text.slice(at, at + 20));
    if (!line) return undefined;
    const bytes = Number.parseInt(line[1] ?? '', 16);
    at += line[0].length;
    if (bytes === 0) {
      const last = /^((?:[^\r\n]+\r\n)*)\r\n/.exec(text.slice(at));
      if (!last) return undefined;
      const trailers = (last[1] ?? '').trim();
      return { ...about, body, trailers, rest: text.slice(at + last[0].length) };
    }
    if (text.length < at + bytes + 2) return undefined;
    body += text.slice(at, at + bytes);
    at += bytes + 2;
  }
}
