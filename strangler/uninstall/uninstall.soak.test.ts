import './uninstall.test.ts';
