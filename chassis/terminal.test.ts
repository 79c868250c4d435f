import { expect, it } from '@jest/globals';
import { canRedraw, wantsColour } from './terminal.ts';

it('asks for colours unless they are unwanted or unknown', () => {
  expect(wantsColour({ TERM: 'xterm-256color' })).toBe(true);
  expect(wantsColour({})).toBe(true);
  expect(wantsColour({ TERM: 'xterm', NO_COLOR: '1' })).toBe(false);
  expect(wantsColour({ TERM: 'dumb' })).toBe(false);
});

it('draws again only on a terminal that can', () => {
  expect(canRedraw({ isTTY: true }, { TERM: 'xterm' })).toBe(true);
  expect(canRedraw({ isTTY: true }, { TERM: 'dumb' })).toBe(false);
  expect(canRedraw({}, { TERM: 'xterm' })).toBe(false);
});
