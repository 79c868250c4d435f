/** A request in the one form that everything behind it sees. */
export { Deadlines } from './deadlines.ts';
export type { Timed } from './deadlines.ts';
export type { Identity } from './identity.ts';
export { canonicalTarget, encodedSlash, readingsOf } from './path.ts';
export { allowedMethod, isSafe, RequestReader, TIMEOUT_AT } from './request-form.ts';
export type { Asker, CanonicalVersions, RequestForm } from './request-form.ts';
export {
  allowedTrailers,
  isBodiless,
  MalformedAnswer,
  reasonPhrase,
  responseHeaders,
} from './response-headers.ts';
export type { ResponseHeaders } from './response-headers.ts';
