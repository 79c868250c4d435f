/** The interface's documents, and a page to read and try it. */
export { OpenApi } from './openapi.ts';
