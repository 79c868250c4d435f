import { describe, expect, it } from '@jest/globals';
import { copiedText } from './copied-text.ts';

const backfill = { state: 'running', rows: 0, total: 0, startedAt: null, at: null } as const;

describe('how far a copy is', () => {
  it('is not told before its rows are counted', () => {
    expect(copiedText(backfill, undefined)).toBe('about to begin');
    expect(copiedText({ ...backfill, total: 40 }, undefined)).toBe('0 of 40 rows');
    expect(copiedText({ ...backfill, rows: 40, total: 40 }, undefined)).toBe('40 of 40 rows');
  });
});
