import './cohort-crash.test.ts';
