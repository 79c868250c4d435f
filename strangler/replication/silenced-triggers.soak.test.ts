import './silenced-triggers.test.ts';
