/**
 * The first thing that each program imports which is run by hand. CommonJS, and in a language that
 * every Node reads: one that is too old must get as far as this sentence.
 */
'use strict';

var engines = require('../package.json').engines;
var wanted = engines.node.match(/\d+/g).map(Number);
var found = process.versions.node.split('.').map(Number);

if (found[0] < wanted[0] || (found[0] === wanted[0] && found[1] < wanted[1])) {
  console.error(
    'Fig needs Node ' +
      wanted.join('.') +
      ' or newer; this is ' +
      process.versions.node +
      ' (' +
      process.execPath +
      ')',
  );
  process.exit(1);
}
