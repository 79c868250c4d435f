import './cohort-history.test.ts';
