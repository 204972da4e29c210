// Two files for the extension host: the extension, and the language client with the connection, which
// is read only when the server starts.
import { rm } from "node:fs/promises";
import { build } from "esbuild";

const lazyClient = {
  name: "lazy-client",
  setup(one) {
    one.onResolve({ filter: /^\.\/client$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "./client.js", external: true } : undefined,
    );
  },
};

await rm("dist", { recursive: true, force: true });
await build({
  entryPoints: ["src/extension.ts", "src/client.ts"],
  outdir: "dist",
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  supported: { "dynamic-import": false }, // `require` knows "vscode" in every extension host
  external: ["vscode"],
  plugins: [lazyClient],
  minify: true,
  legalComments: "none",
});
