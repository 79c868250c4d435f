import './feed.test.ts';
