import './decide.test.ts';
