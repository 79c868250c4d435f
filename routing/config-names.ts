const ALL_METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** A configuration before it is known to be one. */
type Unchecked = Readonly<Record<string, unknown>>;

/**
 * What does not fit together in a configuration: names that nothing has, and routes that two want.
 * It takes anything, so that these come up together with whatever else is wrong.
 */
export function danglingNames(input: unknown): string[] {
  const config = asRecord(input);
  const capabilities = asRecord(config['capabilities']);
  return [
    ...unfitNames(capabilities),
    ...unknownUpstreams(config, capabilities),
    ...mappingsWithoutDatabases(capabilities),
    ...cohortsWithoutDatabases(capabilities),
    ...cohortsWithoutFences(config, capabilities),
    ...unknownCapabilities(config, capabilities),
    ...cohortsWithoutClaims(config, capabilities),
    ...contestedRoutes(capabilities, asRecord(config['services'])),
  ];
}

/** With authentication a cohort's key comes from the token, whatever a header says. */
function cohortsWithoutClaims(config: Unchecked, capabilities: Unchecked): string[] {
  const auth = asRecord(config['gateway'])['auth'];
  if (auth === undefined) return [];
  const lower = (value: unknown): string => String(value).toLowerCase();
  const claims = new Set(Object.keys(asRecord(asRecord(auth)['claims'])).map(lower));
  const sticky = lower(config['stickyHeader'] ?? 'x-customer-id');
  return Object.entries(capabilities).flatMap(([key, value]) => {
    const { header } = asRecord(asRecord(value)['cohorts']);
    if (typeof header !== 'string' || lower(header) === sticky) return [];
    if (claims.has(lower(header))) return [];
    return [
      `capabilities.${key}.cohorts.header: no claim gives the value of ${header}; ` +
        `name one in gateway.auth.claims, such as { '${lower(header)}': 'tenant' }`,
    ];
  });
}

function unfitNames(capabilities: Unchecked): string[] {
  return Object.keys(capabilities)
    .filter((key) => !/^[a-z][a-z0-9_]*$/.test(key))
    .map((key) => `capabilities.${key}: give a lower-case name such as "inventory"`);
}

function unknownUpstreams(config: Unchecked, capabilities: Unchecked): string[] {
  const upstreams = Object.keys(asRecord(config['upstreams']));
  const check = (field: string, value: unknown): string[] =>
    typeof value !== 'string' || upstreams.includes(value)
      ? []
      : [`${field}: there is no upstream "${value}"; known are ${upstreams.join(', ')}`];
  return [
    ...check('monolith', config['monolith']),
    ...Object.keys(asRecord(config['services'])).flatMap((name) => check('services', name)),
    ...['drainFirst', 'honoursKeys', 'stripsParameters', 'deadLetters'].flatMap((field) =>
      asArray(config[field]).flatMap((value, index) => check(`${field}.${index}`, value)),
    ),
    ...Object.keys(
      asRecord(asRecord(asRecord(config['gateway'])['resilience'])['upstreams']),
    ).flatMap((name) => check('gateway.resilience.upstreams', name)),
    ...Object.entries(capabilities).flatMap(([key, value]) => {
      const { legacy, extracted } = asRecord(value);
      return [
        ...check(`capabilities.${key}.legacy`, legacy),
        ...check(`capabilities.${key}.extracted`, extracted),
      ];
    }),
  ];
}

function mappingsWithoutDatabases(capabilities: Unchecked): string[] {
  return Object.entries(capabilities)
    .filter(([, value]) => {
      const { mapping, databases } = asRecord(value);
      return mapping !== undefined && databases === undefined;
    })
    .map(([key]) => `capabilities.${key}.databases: a mapping needs the URLs of both databases`);
}

/** Where no rows move there is nothing that could belong to somebody. */
function cohortsWithoutDatabases(capabilities: Unchecked): string[] {
  return Object.entries(capabilities)
    .filter(([, value]) => {
      const { cohorts, databases } = asRecord(value);
      return 'header' in asRecord(cohorts) && databases === undefined;
    })
    .map(([key]) => `capabilities.${key}.databases: cohorts need the URLs of both databases`);
}

/** Who can't say FENCED can't say whose rows a write is about either. */
function cohortsWithoutFences(config: Unchecked, capabilities: Unchecked): string[] {
  const drained = asArray(config['drainFirst']);
  return Object.entries(capabilities).flatMap(([key, value]) => {
    const { cohorts, legacy, extracted } = asRecord(value);
    if (!('header' in asRecord(cohorts))) return [];
    return [legacy, extracted]
      .filter((upstream) => drained.includes(upstream))
      .map(
        (upstream) =>
          `capabilities.${key}.cohorts: single keys can't move while drainFirst names ` +
          `"${String(upstream)}", which can't say whose rows it refused`,
      );
  });
}

function unknownCapabilities(config: Unchecked, capabilities: Unchecked): string[] {
  return asArray(config['touches']).flatMap((touch, index) =>
    asArray(asRecord(touch)['capabilities'])
      .filter((key) => typeof key === 'string' && !(key in capabilities))
      .map((key) => `touches.${index}: there is no capability "${String(key)}"`),
  );
}

/** The same pattern in two capabilities or services: one of them would never get a request. */
function contestedRoutes(capabilities: Unchecked, services: Unchecked): string[] {
  const owners = new Map<string, string>();
  const all = [
    ...Object.entries(capabilities).map(([key, value]) => {
      return {
        key,
        field: `capabilities.${key}.routes`,
        routes: asArray(asRecord(value)['routes']),
      };
    }),
    ...Object.entries(services).map(([key, value]) => {
      return { key, field: `services.${key}`, routes: asArray(value) };
    }),
  ];
  return all.flatMap(({ key, field, routes }) =>
    routes.flatMap((route) => {
      const path = typeof route === 'string' ? route : asRecord(route)['path'];
      if (typeof path !== 'string') return [];
      const methods = asArray(asRecord(route)['methods']);
      const pattern = path
        .toLowerCase()
        .replace(/:[^/]+/g, ':')
        .replace(/(.)\/$/, '$1');
      const others = (methods.length === 0 ? ALL_METHODS : methods)
        .map((method) => `${String(method)} ${pattern}`)
        .flatMap((place) => {
          const owner = owners.get(place);
          owners.set(place, owner ?? key);
          return owner === undefined || owner === key ? [] : [owner];
        });
      if (others.length === 0) return [];
      return [`${field}: "${path}" belongs to "${others[0]}" already`];
    }),
  );
}

function asRecord(value: unknown): Unchecked {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Unchecked)
    : {};
}

function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
