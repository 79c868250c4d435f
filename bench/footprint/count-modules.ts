import Module, { register } from 'node:module';
import { writeFileSync } from 'node:fs';

/**
 * Loaded before a program (`node --import`): writes how many modules it had loaded at its end to the
 * file that its own address names. ES modules are counted by a hook, which sees no `require`; what was
 * required is counted by its cache.
 */
const file = new URL(import.meta.url).searchParams.get('file') ?? '';
const counter = new SharedArrayBuffer(4);
register('./module-hook.js', import.meta.url, { data: { counter } });
const { _cache: required } = Module as unknown as { _cache: Readonly<Record<string, unknown>> };
process.once('exit', () => {
  const modules = Atomics.load(new Int32Array(counter), 0) + Object.keys(required).length;
  writeFileSync(file, JSON.stringify({ modules }));
});
