// Two files for the extension host: the extension, and the language client with the connection, which
// is read only when the server starts. Writes the notices of what is bundled, too; with --frozen they must
// be up to date already.
import { readFile, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { notices } from "./notices.mjs";

const NOTICES = "ThirdPartyNotices.txt";

const lazyClient = {
  name: "lazy-client",
  setup(one) {
    one.onResolve({ filter: /^\.\/client$/ }, ({ kind }) =>
      kind === "dynamic-import" ? { path: "./client.js", external: true } : undefined,
    );
  },
};

await rm("dist", { recursive: true, force: true });
const { metafile } = await build({
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
  metafile: true,
});
const text = notices(metafile);
const before = await readFile(NOTICES, "utf8").catch(() => "");
if (text !== before) {
  await writeFile(NOTICES, text);
  if (process.argv.includes("--frozen")) {
    process.stderr.write(
      `${NOTICES} was out of date and is written anew: read it and commit it.\n`,
    );
    process.exitCode = 1;
  }
}
