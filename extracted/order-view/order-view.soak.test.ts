import './order-view.test.ts';
