/** Versions of the interface side by side, translated at the edge (anti-corruption layer). */
export { Versions } from './versions.ts';
