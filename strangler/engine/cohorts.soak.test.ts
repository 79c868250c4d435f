import './cohorts.test.ts';
