import { expect, it } from '@jest/globals';
import { OpenApi } from './index.ts';

it.each([
  ['/does/not/exist.json', 'ENOENT'],
  [import.meta.filename, 'JSON'],
])('a document that can not be used stops the configuration: %s', (file, why) => {
  expect(() => new OpenApi({ documents: { v1: file }, page: false })).toThrow(
    new RegExp(`gateway.openapi.documents.v1: .*${why}`),
  );
});
