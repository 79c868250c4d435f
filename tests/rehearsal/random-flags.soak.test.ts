import './random-flags.test.ts';
