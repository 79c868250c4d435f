import type { InitializeHook, LoadHook } from 'node:module';

let loaded: Int32Array | undefined;

export const initialize: InitializeHook<{ readonly counter: SharedArrayBuffer }> = ({
  counter,
}) => {
  loaded = new Int32Array(counter);
};

export const load: LoadHook = async (url, context, nextLoad) => {
  const result = await nextLoad(url, context);
  if (loaded && result.format !== 'commonjs' && result.format !== 'builtin') {
    Atomics.add(loaded, 0, 1);
  }
  return result;
};
