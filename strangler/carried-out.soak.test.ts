import './carried-out.test.ts';
