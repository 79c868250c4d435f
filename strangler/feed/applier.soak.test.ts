import './applier.test.ts';
