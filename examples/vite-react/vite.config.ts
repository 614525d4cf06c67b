import { defineConfig, type ProxyOptions } from 'vite';

/** Where Cloakroom listens while you develop. */
const handler = process.env['CLOAKROOM'] ?? 'http://localhost:8080';

/**
 * The dev server passes agent and API on, so that page and handler are one origin. The handler has to be told that origin: in
 * its `config.toml`, `origin = "http://localhost:5173"`. `Host` stays what the browser wrote; Vite's `changeOrigin` is false.
 */
const passOn: ProxyOptions = { target: handler, changeOrigin: false };

export default defineConfig({
  server: { port: 5173, strictPort: true, proxy: { '/oauth-agent': passOn, '/api': passOn } },
  preview: { port: 5173, strictPort: true, proxy: { '/oauth-agent': passOn, '/api': passOn } },
  esbuild: { jsx: 'automatic' },
  build: { target: 'es2022' },
});
