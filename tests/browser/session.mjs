// One browser with one page, watched: what it says in its console, what it asks for and where, how long its main thread
// is busy. The browser is the machine's own Chromium with a profile of its own that is removed afterwards.
//
// Invariant: nothing leaves loopback; a request that wants to is a fault, and is not answered.

import { createRequire } from 'node:module';
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Proxy } from './proxy.mjs';

/** Longest wait for anything a page should do, unless a step says otherwise. */
export const PATIENCE_MS = 15_000;
/** How the browser tells that the API knows nobody: it does so whenever a page asks who is there, and nobody is. */
export const NOBODY = /status of 401 .*\/api\/v1\//;
/** Faults that are kept; more say nothing new. */
const FAULTS_MAX = 50;

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
];

/** Runs in the page before its own code: notes tasks that keep the main thread, and the first paint. */
function watch() {
  window.__tasks = [];
  new PerformanceObserver((list) => {
    for (const it of list.getEntries()) {
      window.__tasks.push({ at: Math.round(it.startTime), ms: Math.round(it.duration), who: it.attribution?.[0]?.name });
    }
  }).observe({ type: 'longtask', buffered: true });
}

export class Session {
  static async start(setting) {
    const session = new Session();
    session.proxy = await Proxy.start(new URL(setting.origin).host);
    session.setting = { ...setting, origin: session.proxy.origin };
    const require = createRequire(join(setting.dashboard, 'package.json'));
    const { chromium } = require('playwright-core');
    session.axePath = require.resolve('axe-core/axe.min.js');
    session.profile = await mkdtemp(join(tmpdir(), 'bridge-browser-'));
    await mkdir(setting.screens, { recursive: true });
    session.context = await chromium.launchPersistentContext(session.profile, {
      executablePath: setting.chromium,
      headless: true,
      args: FLAGS,
      viewport: { width: 1440, height: 900 },
      // The page's policy forbids inline programs; tests bring theirs by the debugger, which needs no exception.
      bypassCSP: false,
      locale: 'en-GB',
      timezoneId: 'UTC',
    });
    session.version = session.context.browser()?.version() ?? 'unknown';
    await session.context.addInitScript(watch);
    session.faults = [];
    session.expected = [];
    session.page = session.context.pages()[0] ?? (await session.context.newPage());
    session.page.setDefaultTimeout(PATIENCE_MS);
    session.follow(session.page);
    session.cdp = await session.context.newCDPSession(session.page);
    await session.cdp.send('Performance.enable');
    return session;
  }

  follow(page) {
    page.on('console', (message) => {
      if (message.type() === 'error') this.fault('console', `${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => this.fault('exception', String(error.stack ?? error)));
    page.on('request', (request) => {
      const url = request.url();
      const local = url.startsWith(`${this.setting.origin}/`) || /^(data|blob|about):/.test(url);
      if (!local) this.fault('foreign request', url);
    });
    page.on('crash', () => this.fault('crash', page.url()));
    page.on('dialog', (dialog) => {
      this.fault('dialog', dialog.message());
      void dialog.dismiss();
    });
  }

  fault(kind, what) {
    if (this.expected.some((it) => it.test(what))) return;
    if (this.faults.length < FAULTS_MAX) this.faults.push({ kind, what });
  }

  /** What the page will complain about on purpose while `work` runs, and shortly after. */
  async expecting(patterns, work) {
    this.expected.push(...patterns);
    try {
      return await work();
    } finally {
      // The console's messages come over a pipe of their own.
      await this.page.waitForTimeout(200);
      this.expected.length -= patterns.length;
    }
  }

  /** All faults since the last time, and whether some text ran as a program. */
  async takeFaults() {
    const ran = await this.page.evaluate(() => window.__xss).catch(() => undefined);
    if (ran !== undefined) this.fault('text ran as a program', `window.__xss is ${ran}`);
    return this.faults.splice(0);
  }

  url(path) {
    return `${this.setting.origin}${path}`;
  }

  /** Opens a page by its address, as a person with a bookmark does. */
  async open(path) {
    await this.page.goto(this.url(path), { waitUntil: 'load' });
  }

  async screenshot(name, options = {}) {
    const path = join(this.setting.screens, `${name}.png`);
    // Hiding the caret puts a rule for every element into the page: a recalculation of all its styles.
    await this.page.screenshot({ path, caret: 'initial', ...options });
    return path;
  }

  /** What a person could read, for a failure's report. */
  async words() {
    const text = await this.page.evaluate(() => document.body.innerText);
    return text.replaceAll(/\s*\n\s*/g, ' | ').slice(0, 1_500);
  }

  /** Used heap in bytes after a collection, and what the document holds. */
  async memory() {
    await this.cdp.send('HeapProfiler.collectGarbage');
    const { metrics } = await this.cdp.send('Performance.getMetrics');
    const of = (name) => metrics.find((it) => it.name === name)?.value ?? 0;
    return { heap: of('JSHeapUsedSize'), nodes: of('Nodes'), listeners: of('JSEventListeners') };
  }

  /** Tasks over 50 ms since the last time. */
  async takeLongTasks() {
    return this.page.evaluate(() => window.__tasks.splice(0));
  }

  async close() {
    await this.context?.close().catch(() => {});
    this.proxy?.close();
    await rm(this.profile, { recursive: true, force: true, maxRetries: 3 });
  }
}
