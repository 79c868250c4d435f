import { Problem } from '../../../chassis/index.ts';
import type { Logger } from '../../../chassis/index.ts';
import type { FigConfig, TranslationConfig, VersionsConfig } from '../../../routing/index.ts';
import { readBody, isKept } from '../../forward/index.ts';
import type { FacadeDeps, Handler, RequestContext } from '../../forward/index.ts';
import { PathRules } from '../../match/index.ts';
import { encodedSlash, isSafe, readingsOf } from '../../request/index.ts';
import type { RequestForm } from '../../request/index.ts';
import {
  isConditional,
  TranslatedAnswer,
  translatedBody,
  withoutConditions,
} from './translation.ts';

interface VersionsDeps {
  readonly log: Logger;
  /** By version, how many requests asked for it; `none` for paths without a version. */
  readonly counted: Map<string, number>;
}

/** The part of a request that says which version it asks for. */
type Versioned = Pick<RequestForm, 'method' | 'path' | 'target' | 'version'>;

/**
 * Versions of the interface, side by side. Upstreams speak one of them, under paths without a version, so a
 * request for any version is routed, fenced, counted and compared as one of that.
 */
export class Versions {
  readonly #config: VersionsConfig;
  readonly #deps: VersionsDeps;
  readonly #base: string;
  readonly #known: readonly string[];
  readonly #translations: ReadonlyMap<string, PathRules<TranslationConfig>>;
  /** What answers on paths without a version are marked with: names and values in turn. */
  readonly #deprecation: readonly string[];

  constructor(
    settings: VersionsConfig,
    config: Pick<FigConfig, 'stripsParameters' | 'monolith'>,
    deps: VersionsDeps,
  ) {
    const { base, spoken, translated, unversioned } = settings;
    this.#config = settings;
    this.#deps = deps;
    this.#base = `${base.toLowerCase()}/`;
    this.#known = [spoken, ...Object.keys(translated)].sort();
    this.#translations = new Map(
      Object.entries(translated).map(([version, each]) => {
        // A browser asks first whether a page may send a request.
        const rules = each.map((rule) => ({ ...rule, methods: [...rule.methods, 'OPTIONS'] }));
        return [version, new PathRules(rules as readonly TranslationConfig[], config)];
      }),
    );
    this.#deprecation = unversioned ? deprecationOf(unversioned) : [];
  }

  /**
   * The request as upstreams and access rules know it: without the version in its path.
   * @throws Problem 404 for a version, or a path of one, that there is not; 400 where servers could read
   *   another version
   */
  canonical<Form extends Versioned>(form: Form): Form {
    const version = this.#versionIn(form.path);
    if (form.path.includes('%')) {
      const others = readingsOf(form.path).map((reading) => this.#versionIn(reading));
      if (others.some((other) => other !== version)) throw encodedSlash();
    }
    if (version === undefined) return form;
    const at = this.#base.length;
    // Of `/api/v1` nothing is left but `/api`.
    const rest = form.path.slice(at + version.length + 1);
    const path = rest === '' ? form.path.slice(0, at - 1) : form.path.slice(0, at) + rest;
    if (!this.#known.includes(version) || this.#versionIn(path) !== undefined) {
      throw this.#unknown(`there is no version ${version} of this path`);
    }
    const target = path + form.target.slice(form.path.length);
    const canonical = { ...form, path, target, version };
    if (this.#isTranslated(version)) this.#translationOf(version, canonical);
    return canonical;
  }

  /** @throws Problem 404 for a WebSocket of a version that is translated: its messages can't be */
  checkUpgrade({ version }: RequestForm): void {
    if (this.#isTranslated(version)) throw this.#missing(version);
  }

  /** Counts requests by version, and marks answers on paths without one. */
  marking(next: Handler): Handler {
    return (context, deps) => {
      const { version, path } = context.form;
      const isUnversioned = version === undefined && isUnder(this.#base, path);
      if (version !== undefined || isUnversioned) this.#count(version ?? 'none');
      if (isUnversioned) this.#deprecate(context);
      next(context, deps);
    };
  }

  /** Has the bodies of requests of other versions than the spoken one translated, and those of their answers. */
  translating(next: Handler): Handler {
    return (context, deps) => {
      const { version } = context.form;
      if (this.#isTranslated(version)) this.#translate(version, context, deps, next);
      else next(context, deps);
    };
  }

  #translate(version: string, context: RequestContext, deps: FacadeDeps, next: Handler): void {
    const { form } = context;
    const { request, answer } = this.#translationOf(version, form);
    if (!isSafe(form.method) && isConditional(form.headers)) {
      context.refuse(notComparable(version));
      return;
    }
    context.form = { ...form, headers: withoutConditions(form.headers) };
    if (answer) {
      context.filter = new TranslatedAnswer(answer, context, this.#deps.log);
    }
    if (!request || form.bodyBytes === 0) {
      next(context, deps);
      return;
    }
    readBody(context, deps.limits.bodyBytes, (body) => {
      try {
        if (!isKept(body)) throw tooLarge(deps.limits.bodyBytes);
        if (body) {
          context.body = translatedBody(body, context.form.headers, request);
          context.form = { ...context.form, bodyBytes: context.body.length };
        }
        next(context, deps);
      } catch (error) {
        if (error instanceof Problem) context.refuse(error);
        else {
          this.#deps.log.error({ err: error, version }, 'a request could not be translated');
          context.refuse(untranslatable(version));
        }
      }
    });
  }

  #isTranslated(version: string | undefined): version is string {
    return version !== undefined && version !== this.#config.spoken;
  }

  /** @throws Problem 404 */
  #translationOf(version: string, { method, path }: Versioned): TranslationConfig {
    const translation = this.#translations.get(version)?.find(method, path);
    if (!translation) throw this.#missing(version);
    return translation;
  }

  #deprecate(context: RequestContext): void {
    if (this.#deprecation.length === 0) return;
    const { target, path } = context.form;
    const at = this.#base.length - 1;
    const successor = `${path.slice(0, at)}/${this.#config.spoken}${target.slice(at)}`;
    const added = (context.added ??= []);
    added.push(...this.#deprecation, 'link', `<${successor}>; rel="successor-version"`);
  }

  /** The version in a path, in lower case, as routes are matched; undefined for a path without. */
  #versionIn(path: string): string | undefined {
    if (!isUnder(this.#base, path)) return undefined;
    const from = this.#base.length;
    const slash = path.indexOf('/', from);
    const segment = path.slice(from, slash === -1 ? path.length : slash).toLowerCase();
    return /^v\d+$/.test(segment) ? segment : undefined;
  }

  #count(version: string): void {
    const { counted } = this.#deps;
    counted.set(version, (counted.get(version) ?? 0) + 1);
  }

  #missing(version: string): Problem {
    return this.#unknown(`version ${version} does not have this path, or not with this method`);
  }

  #unknown(detail: string): Problem {
    const versions = this.#known;
    return new Problem(404, 'unknown_version', `${detail}; versions are ${versions.join(', ')}`, {
      members: { versions },
    });
  }
}

function isUnder(base: string, path: string): boolean {
  return path.length > base.length && path.slice(0, base.length).toLowerCase() === base;
}

/** `Deprecation` is a date as a structured field has it (RFC 9745), `Sunset` one of HTTP (RFC 8594). */
function deprecationOf({
  deprecated,
  sunset,
}: NonNullable<VersionsConfig['unversioned']>): readonly string[] {
  const since = Math.floor(Date.parse(deprecated) / 1_000);
  const told = ['deprecation', `@${since}`];
  return sunset === undefined ? told : [...told, 'sunset', new Date(sunset).toUTCString()];
}

function tooLarge(limit: number): Problem {
  return new Problem(
    413,
    'body_too_large',
    `a body of this version may have ${limit} bytes; nothing has happened`,
  );
}

/** A write under a condition that was dropped would be carried out where its client did not want it. */
function notComparable(version: string): Problem {
  return new Problem(
    412,
    'precondition_failed',
    `answers of ${version} have no ETag that a condition could name; nothing has happened`,
  );
}

function untranslatable(version: string): Problem {
  return new Problem(
    502,
    'translation_failed',
    `the request could not be translated from ${version}; nothing has happened`,
  );
}
