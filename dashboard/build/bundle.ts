// Rules of the bundle, checked on each build: all of it together is at most 300 KB of gzip, no other host is named in
// markup or style, no inline script or style (the page's policy forbids both), and the licences of what is inside are
// beside it in NOTICE.txt.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

const BUNDLE_GZIP_BYTES_MAX = 300 * 1024;

interface Output {
  fileName: string;
  code?: string;
  source?: string | Uint8Array;
}

const text = (it: Output) => it.code ?? (typeof it.source === 'string' ? it.source : Buffer.from(it.source ?? '').toString());

/** Packages at run time, and what they in turn need. */
function runtimePackages(root: string): string[] {
  const found = new Set<string>();
  const visit = (name: string) => {
    if (found.has(name)) return;
    found.add(name);
    const own = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8'));
    Object.keys(own.dependencies ?? {}).forEach(visit);
  };
  const mine = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  Object.keys(mine.dependencies).forEach(visit);
  return [...found].sort();
}

function notice(root: string): string {
  const one = (name: string) => {
    const folder = join(root, 'node_modules', name);
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((it) => /^licen[cs]e/i.test(it));
    const words = file ? readFileSync(join(folder, file), 'utf8').trim() : '';
    return `${name} ${version} (${license})\n\n${words}\n`;
  };
  const rule = `\n${'-'.repeat(78)}\n\n`;
  return `The console contains these packages.\n${rule}${runtimePackages(root).map(one).join(rule)}`;
}

function markupFaults(html: string): string[] {
  const faults: string[] = [];
  if (/<script(?![^>]*\bsrc=)/i.test(html)) faults.push('index.html has an inline script');
  if (/<style|\sstyle=/i.test(html)) faults.push('index.html has an inline style');
  if (/(src|href)="(https?:)?\/\//i.test(html)) faults.push('index.html names another host');
  return faults;
}

function styleFaults(css: string): string[] {
  return /url\(\s*['"]?(https?:|\/\/|data:)/i.test(css) ? ['app.css loads from another host or from data:'] : [];
}

export function bundleRules(): Plugin {
  let root = '.';
  return {
    name: 'bundle-rules',
    apply: 'build',
    configResolved(config) {
      root = config.root;
    },
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        this.emitFile({ type: 'asset', fileName: 'NOTICE.txt', source: notice(root) });
        const files = Object.values(bundle) as Output[];
        const faults = files.flatMap((it) =>
          it.fileName.endsWith('.html') ? markupFaults(text(it)) : it.fileName.endsWith('.css') ? styleFaults(text(it)) : [],
        );
        const sizes = files.map((it) => [it.fileName, gzipSync(text(it), { level: 9 }).length] as const);
        const sum = sizes.reduce((total, [, size]) => total + size, 0);
        for (const [name, size] of [...sizes, ['all', sum] as const]) {
          this.info(`${name.padEnd(24)} ${(size / 1024).toFixed(1).padStart(7)} KB gzip`);
        }
        if (sum > BUNDLE_GZIP_BYTES_MAX) faults.push(`the bundle has ${sum} bytes of gzip; ${BUNDLE_GZIP_BYTES_MAX} are allowed`);
        if (faults.length > 0) this.error(faults.join('\n'));
      },
    },
  };
}
