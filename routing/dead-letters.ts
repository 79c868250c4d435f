import { z } from 'zod';
import { askAsOperator } from '../chassis/index.ts';
import type { HttpAnswer, OperatorToken, ServerSettings } from '../chassis/index.ts';
import { upstreamSettings } from './config.ts';
import type { FigConfig } from './config.ts';

/** Which applications may be asked, and by what they know an operator. */
export interface LetterContext {
  readonly token: OperatorToken;
  readonly config: Pick<FigConfig, 'deadLetters' | 'upstreams'>;
}

const letter = z.object({
  kind: z.string(),
  id: z.string(),
  what: z.string(),
  reason: z.string(),
  attempts: z.number(),
  since: z.number(),
});
const page = z.object({
  counts: z.record(z.string(), z.number()),
  deadLetters: z.array(letter),
});
const opened = letter.extend({ details: z.unknown() });

export type AskedLetter = z.output<typeof letter>;
export type OpenedLetter = z.output<typeof opened>;

/** An application that lists dead letters, by its name in the configuration. */
export interface LetterSource {
  readonly upstream: string;
  readonly server: ServerSettings;
}

/** What one application tells of its dead letters, or why it tells nothing. */
export type ToldLetters =
  | { readonly problem: string }
  | {
      readonly problem: null;
      readonly counts: Readonly<Record<string, number>>;
      readonly deadLetters: readonly AskedLetter[];
    };

/** The same, with where it was asked. */
export type LetterReport = LetterSource & ToldLetters;

/** The applications that the configuration names under `deadLetters`. */
export function letterSourcesOf({ config }: LetterContext): readonly LetterSource[] {
  return config.deadLetters.map((upstream) => {
    return { upstream, server: upstreamSettings(config.upstreams[upstream] ?? '') };
  });
}

/**
 * Asks each application for its dead letters.
 * @param query such as `?kind=event`
 */
export function askDeadLetters(
  context: LetterContext,
  query: string,
): Promise<readonly LetterReport[]> {
  return Promise.all(
    letterSourcesOf(context).map(async (teller): Promise<LetterReport> => {
      const answer = await askAsOperator(context, teller.server, `/dead-letters${query}`);
      const told = page.safeParse(answer?.body);
      if (answer?.status !== 200 || !told.success) return { ...teller, problem: problemOf(answer) };
      return { ...teller, problem: null, ...told.data };
    }),
  );
}

/** One dead letter of one application; undefined when it has none of that id. Else why it can't tell. */
export async function askDeadLetter(
  context: LetterContext,
  { server }: LetterSource,
  kind: string,
  id: string,
): Promise<OpenedLetter | { readonly problem: string } | undefined> {
  const answer = await askAsOperator(context, server, pathOf(kind, id));
  if (answer && (answer.status === 404 || isUnknownKind(answer))) return undefined;
  const told = opened.safeParse(answer?.body);
  if (answer?.status !== 200 || !told.success) return { problem: problemOf(answer) };
  return told.data;
}

/**
 * Decides about a dead letter.
 * @returns what went wrong; null when it was decided, undefined when there is none (any more)
 */
export async function decideDeadLetter(
  context: LetterContext,
  { server }: LetterSource,
  { kind, id }: Pick<AskedLetter, 'kind' | 'id'>,
  decision: 'retry' | 'drop',
): Promise<string | null | undefined> {
  const answer = await askAsOperator(context, server, `${pathOf(kind, id)}/${decision}`, 'POST');
  if (answer?.status === 404) return undefined;
  return answer?.status === 200 ? null : problemOf(answer);
}

/** Why an application tells nothing, for people. */
function problemOf(answer: HttpAnswer | undefined): string {
  if (!answer) return 'it does not answer';
  const { code } = (answer.body ?? {}) as { readonly code?: string };
  if (answer.status === 401) return "it refuses the operators' token";
  if (answer.status === 200) return 'it answers with something else';
  return `it answers ${answer.status}${code === undefined ? '' : ` ${code}`}`;
}

/** It has dead letters, but none of this kind. */
function isUnknownKind({ status, body }: HttpAnswer): boolean {
  return status === 400 && (body as { code?: string } | undefined)?.code === 'invalid_request';
}

function pathOf(kind: string, id: string): string {
  return `/dead-letters/${encodeURIComponent(kind)}/${encodeURIComponent(id)}`;
}
