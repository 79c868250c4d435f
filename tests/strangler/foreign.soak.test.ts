import './foreign.test.ts';
