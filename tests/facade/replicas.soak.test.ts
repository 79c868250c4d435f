import './replicas.test.ts';
