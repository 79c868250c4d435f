import './side-checks.test.ts';
