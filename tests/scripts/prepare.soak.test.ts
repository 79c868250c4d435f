import './prepare.test.ts';
