/** Loaded into a facade by tests: tells what it holds on to, once all garbage is collected. */
process.on('message', (message) => {
  if (message?.type !== 'memory') return;
  globalThis.gc();
  process.send({
    type: 'memory',
    heapBytes: process.memoryUsage().heapUsed,
    sockets: process.getActiveResourcesInfo().filter((each) => each === 'TCPSocketWrap').length,
  });
});
