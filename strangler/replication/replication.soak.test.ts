import './replication.test.ts';
