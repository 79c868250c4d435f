/** A capability whose rows are said to move; a facade opens no database. */
export const STOCK = {
  legacy: 'legacy',
  extracted: 'extracted',
  routes: ['/api/stock', '/api/stock/*'],
  databases: { legacy: 'file:none', extracted: 'file:none' },
};
