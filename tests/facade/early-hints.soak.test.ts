import './early-hints.test.ts';
