import './answer-table.test.ts';
