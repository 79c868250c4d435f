import './data-plane-dialects.test.ts';
