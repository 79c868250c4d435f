import './exact-values.test.ts';
