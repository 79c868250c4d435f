import { eventually, request } from '../support/index.ts';
import type { Answer } from '../support/index.ts';
import type { DrainStage } from './drain-stage.ts';
import type { SpawnedFacade } from './spawned-facade.ts';

/** Asks the engine to move ownership, and again while the other side is too far behind, as on a busy machine. */
export function handOver({ engine }: DrainStage, to: string, dryRun = false): Promise<Answer> {
  return eventually(async () => {
    const answer = await engine('POST', '/handovers', { capability: 'notes', to, dryRun });
    return (answer.body as { readonly gate?: string }).gate !== 'lag' && answer;
  });
}

/** Writes one note, once. */
export function note({ url }: SpawnedFacade, id: string): Promise<Answer> {
  return request('POST', `${url}/notes`, { body: { id }, timeoutMs: 20_000 });
}

export interface Writers {
  /** @returns what each write was answered, by its id */
  stop(): Promise<ReadonlyMap<string, number>>;
}

/** Writes through all facades at once; nothing is sent twice. */
export function keepWriting(facades: readonly SpawnedFacade[]): Writers {
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

/** Which writes were not answered 201. */
export function failuresOf(
  answers: ReadonlyMap<string, number>,
): readonly (readonly [string, number])[] {
  return [...answers].filter(([, status]) => status !== 201);
}
