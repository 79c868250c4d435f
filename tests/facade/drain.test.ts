import { describe, expect, it } from '@jest/globals';
import { eventually } from '../support/index.ts';
import { withDrainStage, withDrainStageWithoutRedis } from './drain-stage.ts';
import { failuresOf, handOver, keepWriting } from './drain-writers.ts';

interface Gate {
  readonly gate: string;
  readonly ok: boolean;
}

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

  it('does so without Redis as well: facades tell the engine when they ask it', () =>
    withDrainStageWithoutRedis(['legacy', 'extracted'], async (stage) => {
      const drain = async () => {
        const { body } = await handOver(stage, 'extracted', true);
        return (body as { gates: Gate[] }).gates.find(({ gate }) => gate === 'drain');
      };
      await eventually(async () => expect(await drain()).toMatchObject({ ok: true }));
      const writers = keepWriting(stage.facades);
      expect(await handOver(stage, 'extracted')).toMatchObject({ body: { outcome: 'done' } });
      const answers = await writers.stop();
      expect(failuresOf(answers)).toEqual([]);
      expect(stage.idsAt('extracted')).toEqual([...answers.keys()].sort());
    }));
});
