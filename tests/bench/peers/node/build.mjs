// Bundles each function the way the Powertools guide advises for Node.js: ESM, minified, with all dependencies.
import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

// What the functions share with the other targets: the template and the columns.
const work = process.env.BENCH_WORK ?? fileURLToPath(new URL("../../work", import.meta.url));

for (const name of ["intake", "processor"]) {
  await rm(name, { recursive: true, force: true });
  await build({
    entryPoints: { index: `src/${name}.mjs` },
    outdir: name,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    // Formats and transports that are not in use are not loaded.
    splitting: true,
    chunkNames: "[name]-[hash]",
    minify: true,
    platform: "node",
    target: "node20",
    format: "esm",
    mainFields: ["module", "main"],
    alias: { "bench-work": work },
    loader: { ".j2": "text" },
    // Watching templates, which a function never does.
    external: ["chokidar"],
    // CommonJS packages inside an ESM bundle ask for it.
    banner: { js: 'import { createRequire } from "node:module";const require = createRequire(import.meta.url);' },
    legalComments: "none",
    logLevel: "warning",
  });
}
