import assert from "node:assert/strict";
import { test } from "node:test";
import { candidates, installers, locate, type Surroundings, unfit } from "../src/locate";

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

const windows: Surroundings = {
  platform: "win32",
  home: "C:\\Users\\me",
  env: {},
  setting: "",
  folders: [],
  python: undefined,
};

test("a Python that is no virtual environment has its programs in Scripts on Windows", () => {
  const found = candidates({ ...windows, python: "C:\\Conda envs\\one\\python.exe" });
  const paths = found.map(({ path }) => path).filter((path) => path.includes("Conda"));
  assert.deepEqual(paths, [
    "C:\\Conda envs\\one\\dcomplete.exe",
    "C:\\Conda envs\\one\\Scripts\\dcomplete.exe",
  ]);
});

test("PATH may hold quotes on Windows", () => {
  const env = { Path: '"C:\\My Tools";relative;D:\\Bin' };
  const found = candidates({ ...windows, env }).map(({ path }) => path);
  assert.deepEqual(found.slice(-2), ["C:\\My Tools\\dcomplete.exe", "D:\\Bin\\dcomplete.exe"]);
});

test("the setting may leave .exe out on Windows, and is no script there", () => {
  const set = (setting: string) => candidates({ ...windows, setting }).map(({ path }) => path);
  assert.deepEqual(set("~\\bin\\dcomplete"), [
    "C:\\Users\\me\\bin\\dcomplete.exe",
    "C:\\Users\\me\\bin\\dcomplete",
  ]);
  assert.deepEqual(set("D:\\dcomplete.EXE"), ["D:\\dcomplete.EXE"]);
  assert.match(unfit("D:\\dcomplete.CMD", "win32") ?? "", /is a script/);
  assert.equal(unfit("D:\\dcomplete.exe", "win32"), undefined);
  assert.equal(unfit("/bin/dcomplete.cmd", "linux"), undefined);
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
