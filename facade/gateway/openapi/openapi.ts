import { readFileSync } from 'node:fs';
import { ConfigurationError, errorText, Problem } from '../../../chassis/index.ts';
import type { OpenApiConfig } from '../../../routing/index.ts';
import { failInFacade } from '../../forward/index.ts';
import type { Handler, RequestContext } from '../../forward/index.ts';
import { pageAssets } from './page.ts';
import type { Asset } from './page.ts';

/** Serves the interface's documents, and the page, at paths that are then none of an upstream's. */
export class OpenApi {
  readonly #assets: ReadonlyMap<string, Asset>;

  /** @throws ConfigurationError for a file that is no JSON, or not there */
  constructor({ documents, page }: OpenApiConfig) {
    const named = Object.entries(documents).map(([name, given]) => {
      return { name, url: `/openapi/${name}.json`, asset: documentOf(name, given) };
    });
    const links = named.map(({ name, url }) => ({ name, url }));
    this.#assets = new Map([
      ...named.slice(0, 1).map(({ asset }) => ['/openapi.json', asset] as const),
      ...named.map(({ url, asset }) => [url, asset] as const),
      ...(page === false ? [] : pageAssets(page, links)),
    ]);
  }

  handler(next: Handler): Handler {
    return (context, deps) => {
      const { method, path } = context.form;
      const asset = this.#assets.get(path);
      if (!asset) {
        next(context, deps);
        return;
      }
      if (method !== 'GET' && method !== 'HEAD') {
        throw new Problem(405, 'method_not_allowed', `${path} is read only`, {
          headers: { allow: 'GET, HEAD' },
        });
      }
      send(context, asset).catch((error: unknown) => failInFacade(context, deps, error));
    };
  }
}

async function send(context: RequestContext, { fields, read }: Asset): Promise<void> {
  const body = await read();
  if (context.over) return;
  context.reply(200, [...fields, 'x-content-type-options', 'nosniff'], body);
}

function documentOf(name: string, given: OpenApiConfig['documents'][string]): Asset {
  const fields = ['content-type', 'application/json; charset=utf-8'];
  if (typeof given === 'string') {
    const content = readDocument(name, given);
    return { fields, read: () => Promise.resolve(content) };
  }
  let made: Promise<Buffer> | undefined;
  const make = async (): Promise<Buffer> => {
    try {
      return Buffer.from(JSON.stringify(await given()));
    } catch (error) {
      // The next one who asks has it made again.
      made = undefined;
      throw error;
    }
  };
  return { fields, read: () => (made ??= make()) };
}

function readDocument(name: string, file: string): Buffer {
  try {
    const content = readFileSync(file);
    JSON.parse(content.toString('utf8'));
    return content;
  } catch (error) {
    throw new ConfigurationError(
      `gateway.openapi.documents.${name}: ${file} can't be used: ${errorText(error)}`,
      { cause: error },
    );
  }
}
