/** What our bundles have in common. */
import type { Plugin } from 'esbuild';

/** zod brings its messages in forty languages; ours are all in English. */
export const englishOnly: Plugin = {
  name: 'english-only',
  setup({ onLoad }) {
    onLoad({ filter: /node_modules\/zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};
