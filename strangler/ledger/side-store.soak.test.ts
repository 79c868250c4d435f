import './side-store.test.ts';
