import './codec-sql.test.ts';
