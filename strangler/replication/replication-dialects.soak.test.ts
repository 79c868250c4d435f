import './replication-dialects.test.ts';
