import { z } from 'zod';
import { HEADERS } from './headers.ts';
import { OPERATIONS_V2 } from './inventory-v2.ts';
import { OPERATIONS, problemsOf } from './operations.ts';
import type { Operation } from './operations.ts';
import { PROBLEMS } from './problems.ts';
import type { ProblemCode } from './problems.ts';
import { componentsOf, reference } from './schema-components.ts';

type Json = Record<string, unknown>;

function content(schemaOrSchemas: readonly z.ZodType[], type: string): Json {
  const [first, ...others] = [...new Set(schemaOrSchemas)];
  if (!first) return {};
  const schema =
    others.length === 0 ? reference(first) : { anyOf: [first, ...others].map(reference) };
  return { [type]: { schema } };
}

function parameters({ path, query, method }: Operation): Json[] {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const inHeader = {
    name: HEADERS.idempotencyKey,
    in: 'header',
    required: false,
    description: 'The same key and body give the stored answer again, for 24 hours.',
    schema: { type: 'string', maxLength: 255 },
  };
  return [...inPath, ...inQuery(query), ...(method === 'POST' ? [inHeader] : [])];
}

function inQuery(query: z.ZodObject | undefined): Json[] {
  if (!query) return [];
  // What leaves the schema says what is meant (a number); what enters it is always text.
  const { properties = {} } = z.toJSONSchema(query, { io: 'output' });
  const { required = [] } = z.toJSONSchema(query, { io: 'input' });
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

function answers(operation: Operation): Json {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of problemsOf(operation)) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const problems = [...byStatus].map(([status, codes]) => [
    status,
    {
      description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].meaning}.`).join(' '),
      content: content(
        codes.map((code) => PROBLEMS[code].schema),
        'application/problem+json',
      ),
    },
  ]);
  const { status, schema } = operation.answer;
  const success = [
    status,
    { description: 'Done.', content: content([schema], 'application/json') },
  ];
  return Object.fromEntries([success, ...problems]) as Json;
}

/** What a caller needs where callers are known. */
function security({ access }: Operation): Json {
  if (access === 'anyone') return { security: [] };
  const scopes = access === 'any token' ? [] : (access.scopes ?? []);
  return { security: [{ token: scopes }] };
}

function describe(operation: Operation): Json {
  const { id, summary, area, body } = operation;
  return {
    operationId: id,
    summary,
    tags: [area],
    ...security(operation),
    parameters: parameters(operation),
    ...(body
      ? {
          requestBody: {
            required: body.required,
            content: content([body.schema], 'application/json'),
          },
        }
      : {}),
    responses: answers(operation),
  };
}

/** The operations of each version, and the path that stands before theirs. */
const VERSIONS = {
  /** As servers behind the facade have it. */
  none: { operations: OPERATIONS, base: '/api' },
  v1: { operations: OPERATIONS, base: '/api/v1' },
  v2: { operations: OPERATIONS_V2, base: '/api/v2' },
} as const;

/** The contract as an OpenAPI 3.1 document. */
export function openApiDocument(version: keyof typeof VERSIONS): Json {
  const { operations, base } = VERSIONS[version];
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    const path = operation.path.slice(VERSIONS.none.base.length);
    (paths[path] ??= {})[operation.method.toLowerCase()] = describe(operation);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Orders',
      version: version === 'v2' ? '2.0.0' : '1.0.0',
      description:
        'Money is integer minor units with an ISO currency. Lists page by an opaque cursor. ' +
        'Whatever goes wrong is application/problem+json with a stable `code`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: base }],
    tags: [...new Set(operations.map(({ area }) => area))].map((name) => ({ name })),
    paths,
    components: {
      schemas: componentsOf(paths),
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'As `fig token` makes one; needed where callers are known.',
        },
      },
    },
  };
}
