// How the console is built: one page, one script, one style sheet, one worker, under fixed names, into the folder that the
// runtime embeds. Nothing in the output depends on the time, the machine or the order of files, so that a rebuild is
// the same bytes. `npm run dev` serves the sources and hands /api to a runtime that runs:
//   BRIDGE_CONSOLE_API=http://127.0.0.1:14444 (default), or unix:/path/to/operator.sock (there one is `local`, an admin).
import { defineConfig, type ProxyOptions } from 'vite';
import { bundleRules } from './build/bundle.ts';

const api = process.env.BRIDGE_CONSOLE_API ?? 'http://127.0.0.1:14444';

function proxy(): ProxyOptions {
  if (!api.startsWith('unix:')) return { target: api, changeOrigin: true, headers: { origin: api } };
  const target = { socketPath: api.slice('unix:'.length) } as unknown as string;
  return { target };
}

export default defineConfig({
  base: '/',
  server: { host: '127.0.0.1', port: 5173, strictPort: false, proxy: { '/api': proxy() } },
  resolve: { alias: { '@': new URL('./src', import.meta.url).pathname } },
  build: {
    outDir: '../runtime/assets/console',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: false,
    reportCompressedSize: false,
    rollupOptions: {
      input: { app: 'index.html' },
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: '[name].js',
        assetFileNames: (asset) => (asset.names.some((name) => name.endsWith('.css')) ? 'app.css' : '[name][extname]'),
      },
    },
  },
  worker: { format: 'es', rollupOptions: { output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' } } },
  plugins: [bundleRules()],
  test: { include: ['src/**/*.test.ts', 'src/**/*.test.tsx'], environment: 'node' },
} as Parameters<typeof defineConfig>[0]);
