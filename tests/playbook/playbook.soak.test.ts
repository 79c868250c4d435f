import './playbook.test.ts';
