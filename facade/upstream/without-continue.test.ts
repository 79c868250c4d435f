import { expect, it } from '@jest/globals';
import { WithoutContinue } from './without-continue.ts';

const ANSWERS =
  'HTTP/1.1 100 Continue\r\n\r\n' +
  'HTTP/1.1 103 Early Hints\r\nLink: </a 100>\r\n\r\n' +
  'HTTP/1.0 100\r\nX-A: HTTP/1.1 100 b\r\n\r\n' +
  'HTTP/1.1 110 Odd\nX-A: b\n\n' +
  'HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n';
const PASSED = ANSWERS.replace('1.1 100 Cont', '1.1 102 Cont').replace('1.0 100', '1.0 102');

function passed(pieces: readonly string[]): string {
  const filter = new WithoutContinue();
  filter.reset();
  return pieces
    .map((piece) => {
      const chunk = Buffer.from(piece, 'latin1');
      filter.pass(chunk);
      return chunk.toString('latin1');
    })
    .join('');
}

it('makes a 102 of each 100 before an answer, wherever it is cut', () => {
  expect(passed([ANSWERS])).toBe(PASSED);
  for (let first = 0; first <= ANSWERS.length; first += 1) {
    const second = Math.min(ANSWERS.length, first + 7);
    const pieces = [ANSWERS.slice(0, first), ANSWERS.slice(first, second), ANSWERS.slice(second)];
    expect(passed(pieces)).toBe(PASSED);
  }
  expect(passed(ANSWERS.split(''))).toBe(PASSED);
});

it('leaves alone what begins otherwise', () => {
  for (const text of ['HTTP/1', '', 'HTTP/2.0 100 x']) expect(passed([text])).toBe(text);
});

it('spoils what is no HTTP, also where it is cut or blank lines come first', () => {
  for (const text of ['RTSP/1.0 200 OK', 'ICE/1.0 100 Continue', 'HTCPCP/1.0 418 x']) {
    const spoilt = passed([text]);
    expect(spoilt).toMatch(/^(?:HT)?\0/);
    expect(passed(text.split(''))).toBe(spoilt);
    expect(passed([`\r\n${text}`])).toBe(`\r\n${spoilt}`);
  }
  expect(passed(['\r\n\r\nHTTP/1.1 100 C'])).toBe('\r\n\r\nHTTP/1.1 102 C');
});
