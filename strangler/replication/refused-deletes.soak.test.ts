import './refused-deletes.test.ts';
