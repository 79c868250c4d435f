import './orders.test.ts';
