import './cohort-fences.test.ts';
