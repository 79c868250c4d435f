import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../system/index.ts';
import type { Manifest } from './manifests.ts';

const run = promisify(execFile);
const TSC = join(projectRoot, 'node_modules', '.bin', 'tsc');

/**
 * Holds objects against the published schemas: validators find values of wrong types, formats and missing fields; they
 * let unknown fields pass, which the compiler finds by the types.
 * @param folder where kubernetes-models is installed
 * @returns what is wrong, one line each
 */
export async function checkSchemas(
  folder: string,
  manifests: readonly Manifest[],
): Promise<readonly string[]> {
  const validating = manifests.map(
    (manifest, index) =>
      `import { ${manifest.kind} as K${index} } from 'kubernetes-models/${manifest.apiVersion}';\n` +
      `try { new K${index}(${JSON.stringify(manifest)}).validate(); } catch (error) {` +
      ` console.log(${JSON.stringify(nameOf(manifest))} + ': ' + error.message); }`,
  );
  const typed = manifests.map(
    (manifest, index) =>
      `import type { I${manifest.kind} as T${index} } from 'kubernetes-models/${manifest.apiVersion}';\n` +
      `export const o${index}: T${index} = ${JSON.stringify(manifest)};`,
  );
  await writeFile(join(folder, 'validate.js'), validating.join('\n'));
  await writeFile(join(folder, 'typed.ts'), typed.join('\n'));
  const words = ['--noEmit', '--module', 'nodenext', '--strict', '--skipLibCheck', 'typed.ts'];
  const told = [
    await said(process.execPath, ['validate.js'], folder),
    await said(TSC, words, folder),
  ];
  return told.flatMap((text) => text.split('\n').filter((line) => line !== ''));
}

function nameOf({ kind, metadata }: Manifest): string {
  return `${kind} ${metadata.name}`;
}

/** What a program prints, also where it fails for that. */
async function said(program: string, words: readonly string[], cwd: string): Promise<string> {
  try {
    const { stdout } = await run(program, [...words], { cwd });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { readonly stdout?: string; readonly stderr?: string };
    return `${stdout ?? ''}${stderr ?? ''}` || String(error);
  }
}
