import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/index.ts';
import { withDrainStage } from './drain-stage.ts';
import { failuresOf, handOver, keepWriting, note } from './drain-writers.ts';

describe('an application that can not say FENCED', () => {
  it('fails writes that meet the fence where the configuration does not say so', () =>
    withDrainStage([], async (stage) => {
      const writers = keepWriting(stage.facades);
      await handOver(stage, 'extracted');
      const answers = await writers.stop();
      const failed = failuresOf(answers);
      expect(failed.length).toBeGreaterThan(0);
      // Failed, and without effect: the fence is what makes it safe.
      const stored = new Set(stage.idsAt('extracted'));
      expect(failed.filter(([id]) => stored.has(id))).toEqual([]);
    }));

  it('keeps ownership, and fails nothing, when a write takes too long', () =>
    withDrainStage(['legacy'], async (stage) => {
      const { apps, facades, engine } = stage;
      const [first, second] = facades;
      apps.legacy.thinks = 8_000;
      const slow = note(first, 'slow');
      await eventually(() => apps.legacy.underWay === 1);
      apps.legacy.thinks = 1;
      const moving = handOver(stage, 'extracted');
      const held = note(second, 'held');
      expect(await moving).toMatchObject({
        status: 409,
        body: { code: 'handover_aborted', reason: expect.stringMatching(/under way .+ 1 facade/) },
      });
      expect(await held).toMatchObject({ status: 201 });
      expect(await slow).toMatchObject({ status: 201 });
      expect((await engine('GET', '/status')).body).toMatchObject({
        capabilities: [{ owner: 'legacy' }],
      });
    }));

  it('is not waited for by way of a facade that is paused, or killed', () =>
    withDrainStage(['legacy', 'extracted'], async (stage) => {
      const { apps, facades } = stage;
      const [first, second] = facades;
      apps.legacy.thinks = 60_000;
      const hopeless = note(second, 'hopeless');
      hopeless.catch(() => undefined);
      await eventually(() => apps.legacy.underWay === 1);
      second.signal('SIGSTOP');
      expect(await handOver(stage, 'extracted')).toMatchObject({ body: { outcome: 'done' } });
      expect((await note(first, 'after')).status).toBe(201);
      second.signal('SIGKILL');
      await expect(hopeless).rejects.toThrow();
      expect(await handOver(stage, 'legacy')).toMatchObject({ body: { outcome: 'done' } });
    }));
});
