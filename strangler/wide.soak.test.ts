import './wide.test.ts';
