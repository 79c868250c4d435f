import './aborted.test.ts';
