/** Where the `dcomplete` program may be, best first. Nothing is run or fetched here. */

import { posix, win32 } from "node:path";

export interface Surroundings {
  platform: NodeJS.Platform;
  home: string;
  env: Record<string, string | undefined>;
  /** The setting `dcomplete.serverPath`; "" if it is not set. */
  setting: string;
  /** Folders of a trusted workspace; empty in Restricted Mode. */
  folders: readonly string[];
  /** The interpreter that the Python extension has selected, if there is one. */
  python: string | undefined;
}

export interface Candidate {
  path: string;
  /** Where it was looked for, in words. */
  place: string;
}

/** Where to look, in order: the setting, the workspace, Python's environment, tools, PATH. */
export function candidates(around: Surroundings): Candidate[] {
  if (around.setting) {
    const path = expanded(around.setting, around.home, around.folders[0]);
    const bare = around.platform === "win32" && win32.extname(path).toLowerCase() !== ".exe";
    const paths = bare ? [`${path}.exe`, path] : [path];
    return paths.map((one) => ({ path: one, place: "dcomplete.serverPath" }));
  }
  const { join, dirname } = around.platform === "win32" ? win32 : posix;
  const [bin, exe] =
    around.platform === "win32" ? ["Scripts", "dcomplete.exe"] : ["bin", "dcomplete"];
  const found: Candidate[] = [];
  const add = (place: string, ...parts: string[]) =>
    found.push({ place, path: join(...parts, exe) });
  for (const folder of around.folders) {
    add("the workspace's .venv", folder, ".venv", bin);
    add("the workspace's venv", folder, "venv", bin);
  }
  if (around.python) {
    const folder = dirname(around.python);
    add("the selected Python environment", folder);
    // Only virtual environments have python.exe beside their programs.
    if (around.platform === "win32") add("the selected Python environment", folder, bin);
  }
  if (around.env.VIRTUAL_ENV) add("the active virtual environment", around.env.VIRTUAL_ENV, bin);
  for (const [place, folder] of toolFolders(around)) add(place, folder);
  for (const folder of pathFolders(around)) add("PATH", folder);
  const seen = new Set<string>();
  return found.filter(({ path }) => !seen.has(path) && seen.add(path));
}

/** Where uv and pipx put programs and their environments. */
function toolFolders(around: Surroundings): [string, string][] {
  const { env, home, platform } = around;
  const windows = platform === "win32";
  const { join } = windows ? win32 : posix;
  const bin = windows ? "Scripts" : "bin";
  const data = env.XDG_DATA_HOME || join(home, ".local", "share");
  const uv =
    env.UV_TOOL_DIR ||
    (windows ? join(env.APPDATA || home, "uv", "tools") : join(data, "uv", "tools"));
  const pipx = env.PIPX_HOME
    ? [env.PIPX_HOME]
    : [join(data, "pipx"), join(home, ".local", "pipx"), join(home, "pipx")];
  const shims = [
    env.UV_TOOL_BIN_DIR,
    env.PIPX_BIN_DIR,
    env.XDG_BIN_HOME,
    join(home, ".local", "bin"),
  ];
  return [
    ["uv's tools", join(uv, "dcomplete", bin)],
    ...pipx.map((root): [string, string] => ["pipx", join(root, "venvs", "dcomplete", bin)]),
    ...shims
      .filter((s) => s !== undefined && s !== "")
      .map((s): [string, string] => ["uv's and pipx's programs", s as string]),
  ];
}

function pathFolders({ env, platform }: Surroundings): string[] {
  const windows = platform === "win32";
  const { isAbsolute } = windows ? win32 : posix; // a relative entry would depend on the workspace
  const value = env.PATH ?? env.Path ?? "";
  const folders = value.split(windows ? ";" : ":");
  const plain = windows ? folders.map((folder) => folder.replace(/^"(.*)"$/, "$1")) : folders;
  return plain.filter((folder) => isAbsolute(folder));
}

function expanded(path: string, home: string, folder: string | undefined): string {
  const filled = path.replace(/^~(?=[\\/]|$)/, home);
  return folder === undefined ? filled : filled.replaceAll("${" + "workspaceFolder}", folder);
}

/**
 * Why a program cannot be the server, in words. Windows hands a script to its shell, which would take the
 * arguments apart; so nobody starts one for us.
 */
export function unfit(path: string, platform: NodeJS.Platform): string | undefined {
  if (platform !== "win32" || !/\.(cmd|bat|ps1)$/i.test(path)) return undefined;
  return `dcomplete.serverPath is a script (${path}); name the dcomplete.exe that it starts.`;
}

/** The first candidate that `runs` accepts. */
export async function locate(
  around: Surroundings,
  runs: (path: string) => Promise<boolean>,
): Promise<Candidate | undefined> {
  for (const candidate of candidates(around)) {
    if (await runs(candidate.path)) return candidate;
  }
  return undefined;
}

export interface Installer {
  label: string;
  /** The exact line that is typed into a terminal, which the person then starts. */
  command: string;
}

/**
 * How to install the server. Each keeps it apart from other programs, except the last. It is on no package
 * index: the person puts the folder of its sources where the path is.
 */
export function installers(platform: NodeJS.Platform): Installer[] {
  const python = platform === "win32" ? "py" : "python3";
  const sources = platform === "win32" ? "path\\to\\dcomplete" : "path/to/dcomplete";
  return [
    { label: "uv", command: `uv tool install ${sources}` },
    { label: "pipx", command: `pipx install ${sources}` },
    { label: "This workspace's .venv", command: venvCommand(python, platform, sources) },
  ];
}

function venvCommand(python: string, platform: NodeJS.Platform, sources: string): string {
  const inner = platform === "win32" ? ".venv\\Scripts\\python" : ".venv/bin/python";
  const glue = platform === "win32" ? ";" : "&&"; // Windows PowerShell 5 has no &&
  return `${python} -m venv .venv ${glue} ${inner} -m pip install ${sources}`;
}
