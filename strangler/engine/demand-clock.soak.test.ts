import './demand-clock.test.ts';
