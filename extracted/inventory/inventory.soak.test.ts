import './inventory.test.ts';
