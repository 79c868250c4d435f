import { describe, expect, it } from '@jest/globals';
import { eventually } from '../../tests/support/index.ts';
import { figFor, withFig } from '../../tests/strangler/support/fig.ts';
import type { Fig } from '../../tests/strangler/support/fig.ts';
import { withSides } from '../../tests/strangler/support/sides.ts';

/** Out and back, so that each side keeps a handover. */
async function outAndBack(fig: Fig): Promise<void> {
  for (const line of ['backfill shop', 'reconcile shop', 'switch shop', 'reverse shop']) {
    expect(await fig(line)).toMatchObject({ code: 0 });
  }
}

describe('fig journal, where a side cannot be read', () => {
  it('names the side and the reason beside what the other one keeps, and ends with 1', () =>
    withFig(async (fig, { call }, sides) => {
      await outAndBack(fig);
      expect((await call('GET', '/handovers')).body).toMatchObject({
        handovers: [{ from: 'extracted' }, { from: 'legacy' }],
        unread: [],
      });
      expect(JSON.parse((await fig('journal --json')).stdout)).toMatchObject({ unread: [] });
      sides.extracted.exec('ALTER TABLE fig_handover RENAME TO moved_away');
      const unread = {
        capability: 'shop',
        side: 'extracted',
        reason: expect.stringContaining('no such table: fig_handover'),
      };
      expect(await fig('journal')).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(
          /legacy -> extracted[^]+\n\nshop {2}the journal of extracted can't be read: (?:SqliteError: )?no such table: fig_handover\n$/,
        ),
        stderr: expect.stringContaining('a journal could not be read'),
      });
      const { code, stdout } = await fig('journal --json');
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        handovers: [{ from: 'legacy' }],
        unread: [unread],
      });
      await eventually(async () =>
        expect((await call('GET', '/handovers')).body).toMatchObject({
          unread: expect.arrayContaining([unread]),
        }),
      );
    }));

  it('does not say that there were none where neither side can be read', () =>
    withSides(async (sides) => {
      const urls = {
        legacy: `${sides.urls.legacy}.gone`,
        extracted: `${sides.urls.extracted}.gone`,
      };
      const fig = await figFor({ ...sides, urls }, 'http://127.0.0.1:9');
      expect(await fig('journal')).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(
          /^shop {2}the journal of legacy can't be read: .+\nshop {2}the journal of extracted can't be read: .+\n$/,
        ),
      });
    }));
});

describe('the status of an engine', () => {
  it('tells why it is not known whether changes are carried', () =>
    withFig(async (_fig, { engine, status }) => {
      const data = engine.controllers.get('shop')?.opened?.data;
      if (!data) throw new Error('not open');
      data.status = () => Promise.reject(new Error('the disk is gone'));
      expect((await status()).trouble).toContain(
        'it is unknown whether changes are carried: the disk is gone',
      );
    }));
});
