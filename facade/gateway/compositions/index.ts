/** One answer made of several, each from whoever owns it (API composition, backend for frontend). */
export { Compositions } from './compositions.ts';
