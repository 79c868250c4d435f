import './changed-keys.test.ts';
