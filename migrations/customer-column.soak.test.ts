import './customer-column.test.ts';
