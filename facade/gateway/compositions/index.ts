/** One answer made of several, each from its owner (API composition, backend for frontend). */
export { composing } from './compositions.ts';
