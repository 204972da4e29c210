// What others wrote and the bundle holds: names, versions and licences, from esbuild's own account of
// what it read. Nothing else of node_modules ships.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const HEAD = `Third-party notices
===================

The extension's code is bundled with the packages below, and with no others. This file is made by
\`npm run build\`; \`npm run package\` refuses to go on where it is not up to date.
`;

/** Folders of the packages whose files went into the bundle, from an esbuild metafile. */
export function bundled({ outputs }) {
  const folders = new Set();
  for (const { inputs } of Object.values(outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const [folder] = path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/) ?? [];
      if (folder !== undefined && bytesInOutput > 0) folders.add(folder);
    }
  }
  return [...folders];
}

/** The text of the notices. Fails for a package without a licence: such a thing must not ship. */
export function notices(metafile) {
  const packages = bundled(metafile).map((folder) => {
    const { name, version, license } = JSON.parse(
      readFileSync(join(folder, "package.json"), "utf8"),
    );
    if (!license) throw new Error(`${name} has no licence.`);
    return { title: `${name} ${version} (${license})`, text: licence(folder) };
  });
  packages.sort((a, b) => (a.title < b.title ? -1 : 1));
  const list = packages.map(({ title }) => `* ${title}\n`).join("");
  const texts = packages.map(
    ({ title, text }) => `\n${title}\n${"-".repeat(title.length)}\n\n${text}\n`,
  );
  return `${HEAD}\n${list}${texts.join("")}`;
}

function licence(folder) {
  const name = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
  if (name === undefined) throw new Error(`${folder} holds no licence text.`);
  return readFileSync(join(folder, name), "utf8").replaceAll("\r\n", "\n").trim();
}
