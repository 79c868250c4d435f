import './payment.test.ts';
