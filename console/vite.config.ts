import { defineConfig } from 'vite';

/** The page becomes a few files below `dist/console`, which the admin port serves under `/console/`. */
export default defineConfig({
  root: import.meta.dirname,
  base: '/console/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../dist/console',
    emptyOutDir: true,
    // The content policy allows files of ours alone, no data in place of them.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2023',
  },
});
