import assert from "node:assert/strict";
import { test } from "node:test";
import { candidates, installers, locate, type Surroundings } from "../src/locate";

const linux: Surroundings = {
  platform: "linux",
  home: "/home/me",
  env: { PATH: "/usr/bin:relative:/opt/bin" },
  setting: "",
  folders: ["/folder"],
  python: "/envs/one/bin/python",
};
const paths = (changes: Partial<Surroundings>) =>
  candidates({ ...linux, ...changes }).map(({ path }) => path);

test("the workspace comes before the Python environment, the tools and PATH", () => {
  assert.deepEqual(paths({}), [
    "/folder/.venv/bin/dcomplete",
    "/folder/venv/bin/dcomplete",
    "/envs/one/bin/dcomplete",
    "/home/me/.local/share/uv/tools/dcomplete/bin/dcomplete",
    "/home/me/.local/share/pipx/venvs/dcomplete/bin/dcomplete",
    "/home/me/.local/pipx/venvs/dcomplete/bin/dcomplete",
    "/home/me/pipx/venvs/dcomplete/bin/dcomplete",
    "/home/me/.local/bin/dcomplete",
    "/usr/bin/dcomplete",
    "/opt/bin/dcomplete",
  ]);
});

test("the setting alone counts if there is one", () => {
  assert.deepEqual(paths({ setting: "~/bin/dcomplete" }), ["/home/me/bin/dcomplete"]);
  const variable = `$${"{workspaceFolder}"}/x/dcomplete`;
  assert.deepEqual(paths({ setting: variable }), ["/folder/x/dcomplete"]);
});

test("without trusted folders nothing of a workspace is a candidate", () => {
  assert.ok(paths({ folders: [], python: undefined }).every((path) => !path.startsWith("/folder")));
});

test("environment variables of uv and pipx are followed", () => {
  const env = { UV_TOOL_BIN_DIR: "/u", PIPX_HOME: "/p", PATH: "" };
  const found = paths({ folders: [], python: undefined, env });
  assert.ok(found.includes("/u/dcomplete"));
  assert.ok(found.includes("/p/venvs/dcomplete/bin/dcomplete"));
});

test("Windows has other names for the same places", () => {
  const found = candidates({
    platform: "win32",
    home: "C:\\Users\\me",
    env: { Path: "C:\\Tools", APPDATA: "C:\\Users\\me\\AppData\\Roaming" },
    setting: "",
    folders: ["C:\\work"],
    python: undefined,
  }).map(({ path }) => path);
  assert.equal(found[0], "C:\\work\\.venv\\Scripts\\dcomplete.exe");
  assert.ok(
    found.includes("C:\\Users\\me\\AppData\\Roaming\\uv\\tools\\dcomplete\\Scripts\\dcomplete.exe"),
  );
  assert.equal(found.at(-1), "C:\\Tools\\dcomplete.exe");
});

test("the first place that holds the program is taken", async () => {
  const found = await locate(linux, async (path) => path.startsWith("/home/me/.local/bin"));
  assert.equal(found?.path, "/home/me/.local/bin/dcomplete");
  assert.equal(await locate(linux, async () => false), undefined);
});

test("installing is one visible command on each system", () => {
  for (const platform of ["linux", "win32", "darwin"] as const) {
    for (const { command } of installers(platform)) {
      // A bare name would be looked up on a package index, where anyone may own it.
      assert.match(command, /install path[\\/]to[\\/]dcomplete$/);
      assert.doesNotMatch(command, /\n|curl|sudo/);
    }
  }
});
