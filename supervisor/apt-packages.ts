import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CommandFailed, run } from './command.ts';
import { programRuns } from './program.ts';
import type { Program, Progress } from './program.ts';

/** A server as the distribution packages it. */
export interface Packaged {
  /** Where unpacked packages are kept between runs. */
  readonly cacheDir: string;
  readonly packages: readonly string[];
  /** Packages that these depend on and that are parts of the server. */
  readonly parts?: RegExp;
  /** Packages that these depend on and that are fetched where they are not installed. */
  readonly libraries: RegExp;
  /** Path of the server's program in a folder of unpacked packages. */
  find(root: string): string;
}

interface AptOptions extends Packaged {
  readonly aptGet: string;
  readonly dpkg: string;
  readonly log: Progress;
}

/** The program that an earlier run unpacked, when there is one and it runs on this system. */
export async function unpacked(packaged: Packaged): Promise<Program | undefined> {
  const program = programIn(packaged, join(packaged.cacheDir, systemKey()));
  return (await programRuns(program)) ? program : undefined;
}

/**
 * Downloads a server and the libraries it lacks with `apt-get download` and unpacks them, without
 * root and without installing anything. Two processes may do so at once: each works in a folder
 * of its own and the first to finish moves it into place.
 * @throws CommandFailed when a package can't be had or the result does not run
 */
export async function provisionWithApt(options: AptOptions): Promise<Program> {
  const work = mkdtempSync(join(options.cacheDir, 'unpacking-'));
  try {
    await fetchPackages(options, work);
    const root = join(work, 'root');
    const { path, env } = programIn(options, root);
    await run(path, ['--version'], { env: { ...process.env, ...env } });
    const final = join(options.cacheDir, systemKey());
    await moveIntoPlace(options, root, final, work);
    return programIn(options, final);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * Fetches the server, then whatever library its packages name that this system has not got:
 * which ones these are differs between releases.
 */
async function fetchPackages(options: AptOptions, work: string): Promise<void> {
  const { dpkg, parts, libraries } = options;
  const download = downloader(options, work);
  const done = new Set<string>();
  let wanted = [...options.packages];
  while (wanted.length > 0) {
    const needed = new Set<string>();
    for (const file of await download(wanted)) {
      await run(dpkg, ['-x', file, join(work, 'root')]);
      for (const name of dependencies(await run(dpkg, ['-f', file, 'Depends']))) {
        if (parts?.test(name) || libraries.test(name)) needed.add(name);
      }
    }
    for (const name of wanted) done.add(name);
    wanted = [];
    for (const name of needed) {
      if (done.has(name)) continue;
      if (parts?.test(name) || !(await isInstalled(dpkg, name))) wanted.push(name);
    }
  }
}

/**
 * Downloads packages with the lists that the system has, and where these are missing or stale, with
 * lists of our own from then on.
 * @returns the paths of the packages
 */
function downloader(
  { aptGet, log }: AptOptions,
  work: string,
): (names: readonly string[]) => Promise<string[]> {
  // As root, apt would drop to a user that may not enter our folder.
  const asIs = ['-o', 'APT::Sandbox::User='];
  const lists = join(work, 'lists');
  const cache = join(work, 'apt-cache');
  const ownLists = [...asIs, '-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${cache}`];
  let settings = asIs;
  return async (names) => {
    const folder = mkdtempSync(join(work, 'packages-'));
    log.info({ packages: names }, 'downloading packages');
    try {
      await run(aptGet, [...settings, 'download', ...names], { cwd: folder });
    } catch (error) {
      if (settings === ownLists || !(error instanceof CommandFailed)) throw error;
      log.info('the package lists of this system do not serve: fetching some for this folder only');
      mkdirSync(join(lists, 'partial'), { recursive: true });
      mkdirSync(join(cache, 'archives', 'partial'), { recursive: true });
      settings = ownLists;
      await run(aptGet, [...settings, 'update'], { cwd: folder });
      await run(aptGet, [...settings, 'download', ...names], { cwd: folder });
    }
    return readdirSync(folder)
      .filter((name) => name.endsWith('.deb'))
      .map((name) => join(folder, name));
  };
}

/** Packages in a `Depends` field; of alternatives the first. */
function dependencies(field: string): string[] {
  return field
    .split(',')
    .map((entry) => /^\s*([a-z0-9][a-z0-9.+-]*)/.exec(entry)?.[1] ?? '')
    .filter((name) => name !== '');
}

async function isInstalled(dpkg: string, name: string): Promise<boolean> {
  try {
    return (await run(dpkg, ['--status', name])).includes('Status: install ok installed');
  } catch (error) {
    if (error instanceof CommandFailed) return false;
    throw error;
  }
}

function programIn(packaged: Packaged, root: string): Program {
  return {
    path: packaged.find(root),
    root,
    env: { LD_LIBRARY_PATH: libraryFolders(root).join(':') },
  };
}

/** Debian keeps libraries in a folder named after the machine: `usr/lib/x86_64-linux-gnu`. */
function libraryFolders(root: string): string[] {
  return ['usr/lib', 'lib'].flatMap((folder) => {
    const path = join(root, folder);
    return [path, ...foldersIn(path)];
  });
}

function foldersIn(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name.includes('linux'))
      .map((entry) => join(path, entry.name));
  } catch {
    return [];
  }
}

/** Programs of one release may not run on another, so each system has its own folder. */
function systemKey(): string {
  let release = '';
  try {
    release = readFileSync('/etc/os-release', 'utf8');
  } catch {
    // Only a name is lost: whether the program runs is checked anyway.
  }
  const field = (name: string): string =>
    new RegExp(`^${name}="?([^"\n]+)"?$`, 'm').exec(release)?.[1] ?? 'unknown';
  return `${field('ID')}-${field('VERSION_ID')}-${process.arch}`;
}

/** A rename is all or nothing. Who comes second keeps what is there, unless that is broken. */
async function moveIntoPlace(
  packaged: Packaged,
  from: string,
  to: string,
  work: string,
): Promise<void> {
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      renameSync(from, to);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
      if (await programRuns(programIn(packaged, to))) return;
      rmSync(join(work, 'broken'), { recursive: true, force: true });
      renameSync(to, join(work, 'broken'));
    }
  }
  throw new Error(`could not move what was unpacked into place at ${to}`);
}
