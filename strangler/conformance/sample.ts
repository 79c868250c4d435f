import { randomUUID } from 'node:crypto';

/** A request of the service's own interface, as it is given on the command line. */
export interface Sample {
  readonly method: string;
  readonly path: string;
  /** JSON; absent for a request without a body. */
  readonly body: string | undefined;
}

/** A request that can't be read. */
export class SampleError extends Error {
  override readonly name = 'SampleError';
}

const FORM = /^\s*([A-Za-z]+)\s+(\/\S*)(?:\s+([\s\S]*\S))?\s*$/;
let counter = 0;

/**
 * Reads a request such as `POST /notes {"id": "{unique}"}`.
 * @throws SampleError that says what is wrong
 */
export function parseSample(text: string): Sample {
  const [, method, path, body] = FORM.exec(text) ?? [];
  if (method === undefined || path === undefined) {
    throw new SampleError(
      `${JSON.stringify(text)} is no request: give a method, a path and a JSON body, such as ` +
        `'POST /notes {"id": "{unique}"}'`,
    );
  }
  const sample = { method: method.toUpperCase(), path, body };
  const filled = filledIn(sample);
  try {
    if (filled.body !== undefined) JSON.parse(filled.body);
  } catch (error) {
    throw new SampleError(`the body of ${method} ${path} is not JSON: ${(error as Error).message}`);
  }
  return sample;
}

/** The request with values of its own: `{unique}` becomes a UUID, `{number}` a number not used before. */
export function filledIn({ method, path, body }: Sample): Sample {
  const unique = randomUUID();
  counter += 1;
  const number = String((Date.now() % 1e9) * 1_000 + (counter % 1_000));
  const fill = (text: string): string =>
    text.replaceAll('{unique}', unique).replaceAll('{number}', number);
  return { method, path: fill(path), body: body === undefined ? undefined : fill(body) };
}
