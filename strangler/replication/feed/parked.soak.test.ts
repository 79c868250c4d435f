import './parked.test.ts';
