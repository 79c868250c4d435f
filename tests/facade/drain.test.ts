import { describe, expect, it } from '@jest/globals';
import { eventually, request } from '../support/index.ts';
import type { Answer } from '../support/index.ts';
import { withDrainStage } from './drain-stage.ts';
import type { DrainStage } from './drain-stage.ts';
import type { SpawnedFacade } from './spawned-facade.ts';

function handOver({ engine }: DrainStage, to: string, dryRun = false): Promise<Answer> {
  return engine('POST', '/handovers', { capability: 'notes', to, dryRun });
}

function note({ url }: SpawnedFacade, id: string): Promise<Answer> {
  return request('POST', `${url}/notes`, { body: { id }, timeoutMs: 20_000 });
}

interface Writers {
  /** @returns what each write was answered, by its id */
  stop(): Promise<ReadonlyMap<string, number>>;
}

/** Writes through all facades at once; nothing is sent twice. */
function keepWriting(facades: readonly SpawnedFacade[]): Writers {
  const answers = new Map<string, number>();
  let going = true;
  const writers = Array.from({ length: 12 }, async (_, writer) => {
    for (let number = 0; going; number += 1) {
      const id = `${writer}-${number}`;
      const facade = facades[writer % facades.length] as SpawnedFacade;
      answers.set(id, (await note(facade, id)).status);
    }
  });
  return {
    async stop() {
      going = false;
      await Promise.all(writers);
      return answers;
    },
  };
}

function failuresOf(answers: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
  return [...answers].filter(([, status]) => status !== 201);
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
