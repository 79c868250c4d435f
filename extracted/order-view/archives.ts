import { z } from 'zod';
import type { DomainEvent, HttpClient } from '../../chassis/index.ts';

/** A publisher's archive, which is asked for its events in their order. */
export interface Archive {
  readonly name: string;
  readonly client: HttpClient;
}

const Page = z.object({
  head: z.int(),
  isComplete: z.boolean(),
  events: z.array(z.object({ sequence: z.int(), event: z.custom<DomainEvent>() })),
});
export type Page = z.infer<typeof Page>;

/** @throws Error when the publisher does not answer, or is none */
export async function readArchive(
  { name, client }: Archive,
  after: number,
  limit: number,
): Promise<Page> {
  const answer = await client.call('GET', `/event-archive?after=${after}&limit=${limit}`);
  if (answer.status !== 200) throw new Error(`the archive of ${name} answered ${answer.status}`);
  return Page.parse(answer.body);
}
