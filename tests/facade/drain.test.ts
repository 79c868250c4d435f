import { describe, expect, it } from '@jest/globals';
import { withDrainStage } from './drain-stage.ts';
import { failuresOf, handOver, keepWriting } from './drain-writers.ts';

describe('an application that can not say FENCED', () => {
  it('answers every write while ownership moves away and back, since its own finish first', () =>
    withDrainStage(['legacy', 'extracted'], async (stage) => {
      const writers = keepWriting(stage.facades);
      for (const to of ['extracted', 'legacy', 'extracted']) {
        expect(await handOver(stage, to)).toMatchObject({ status: 200, body: { outcome: 'done' } });
      }
      const answers = await writers.stop();
      expect(failuresOf(answers)).toEqual([]);
      expect(stage.idsAt('extracted')).toEqual([...answers.keys()].sort());
      expect(await handOver(stage, 'legacy', true)).toMatchObject({
        body: { steps: expect.arrayContaining([expect.stringMatching(/under way at extracted/)]) },
      });
    }));
});
