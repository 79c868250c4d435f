import './foreign-dialects.test.ts';
