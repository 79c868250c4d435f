import './row-copier.test.ts';
