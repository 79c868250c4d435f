import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { parse } from 'yaml';
import type { FigConfigInput } from '../../routing/index.ts';
import { projectRoot } from '../../system/index.ts';
import { request } from '../support/index.ts';
import type { Answer } from '../support/index.ts';

/** A request that a page shows, how often it is sent, and what the last answer must hold. */
interface Step {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly times: number;
  readonly expected: Head & { readonly body: unknown };
}

interface Head {
  readonly first: string;
  readonly headers: Record<string, string>;
}

/** A configuration of a page, and the requests below it. */
export interface Example {
  readonly config: Partial<FigConfigInput>;
  readonly steps: readonly Step[];
}

/** What an answer looks like, and what is done elsewhere. */
const SHOWN_ONLY = new Set(['json', 'python', 'sh', 'ts']);
const BLOCK = /^```(\w+)(?: (\d+) times)?\n([\s\S]*?)^```$/gm;

/** All that a page of docs/gateway says can be done. */
export async function examplesOf(page: string): Promise<readonly Example[]> {
  const text = await readFile(join(projectRoot, 'docs', 'gateway', page), 'utf8');
  const examples: { config: Partial<FigConfigInput>; steps: Step[] }[] = [];
  let asked: Omit<Step, 'expected'> | undefined;
  for (const [, kind, times = '1', content = ''] of text.matchAll(BLOCK)) {
    if (kind === 'yaml') {
      examples.push({ config: parse(content) as Partial<FigConfigInput>, steps: [] });
      continue;
    }
    if (kind !== 'http') {
      if (SHOWN_ONLY.has(kind ?? '')) continue;
      throw new Error(`${page}: a block of ${kind} is not run`);
    }
    const [top = '', body] = content.split('\n\n');
    const { first, headers } = headOf(top);
    if (!first.startsWith('HTTP/')) {
      const [method = '', path = ''] = first.split(' ');
      asked = { method, path, headers, times: Number(times) };
      continue;
    }
    const steps = examples.at(-1)?.steps;
    if (!asked || !steps) throw new Error(`${page}: an answer to no request: ${first}`);
    const expected = { first, headers, body: body === undefined ? undefined : JSON.parse(body) };
    steps.push({ ...asked, expected });
    asked = undefined;
  }
  if (asked) throw new Error(`${page}: no answer to ${asked.method} ${asked.path}`);
  return examples;
}

function headOf(text: string): Head {
  const [first = '', ...lines] = text.trim().split('\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { first, headers: Object.fromEntries(headers) };
}

/**
 * Sends what a page shows and compares the answers.
 * @param before what the page says happens before a step, by the step's number from 0 on
 */
export async function follow(
  url: string,
  { steps }: Example,
  before: Readonly<Record<number, () => unknown>> = {},
): Promise<void> {
  for (const [index, { method, path, headers, times, expected }] of steps.entries()) {
    await before[index]?.();
    let answer: Answer | undefined;
    for (let n = 0; n < times; n += 1) {
      answer = await request(method, `${url}${path}`, { headers });
    }
    const names = Object.keys(expected.headers);
    const told = names.map((name) => [name, answer?.headers[name]]);
    expect({
      request: `${method} ${path}`,
      first: `HTTP/1.1 ${answer?.status}`,
      headers: Object.fromEntries(told),
    }).toEqual({
      request: `${method} ${path}`,
      first: expected.first,
      headers: Object.fromEntries(names.map((name) => [name, like(expected.headers[name] ?? '')])),
    });
    if (expected.body !== undefined) expect(answer?.body).toMatchObject(expected.body as object);
  }
}

/** `…` stands for anything. */
function like(text: string): unknown {
  const parts = text.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return expect.stringMatching(new RegExp(`^${parts.join('.+')}$`));
}
