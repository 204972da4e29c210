/** Whether this machine runs on battery. VS Code has no interface for it. */

import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join, win32 } from "node:path";
import { promisify } from "node:util";

const SUPPLIES = "/sys/class/power_supply"; // Linux, Documentation/ABI/testing/sysfs-class-power
const run = promisify(execFile);

/** True if a battery is being discharged; false where that cannot be known. */
export async function onBattery(platform: NodeJS.Platform = process.platform): Promise<boolean> {
  try {
    if (platform === "linux") return await linuxOnBattery(SUPPLIES);
    if (platform === "darwin") {
      return macOnBattery((await run("/usr/bin/pmset", ["-g", "batt"])).stdout);
    }
    if (platform === "win32") {
      const query = "(Get-CimInstance Win32_Battery).BatteryStatus";
      const words = ["-NoProfile", "-Command", query];
      const { stdout } = await run(powershell(process.env), words, { windowsHide: true });
      return windowsOnBattery(stdout);
    }
  } catch {
    // A machine without these tools has no say in the matter.
  }
  return false;
}

/** A system battery that discharges; a mouse's battery has the scope "Device". */
export async function linuxOnBattery(folder: string): Promise<boolean> {
  for (const name of await readdir(folder)) {
    const read = (file: string) =>
      readFile(join(folder, name, file), "utf8").then(
        (text) => text.trim(),
        () => "",
      );
    if ((await read("type")) !== "Battery" || (await read("scope")) === "Device") continue;
    if ((await read("status")) === "Discharging") return true;
  }
  return false;
}

export function macOnBattery(output: string): boolean {
  return output.includes("'Battery Power'");
}

/** By its whole path: a bare name is looked for in the folder first that VS Code was started in. */
export function powershell({ SystemRoot }: Record<string, string | undefined>): string {
  const folder = SystemRoot ?? "C:\\Windows";
  return win32.join(folder, "System32", "WindowsPowerShell", "v1.0", "powershell.exe");
}

/** Win32_Battery.BatteryStatus 1 is "discharging". */
export function windowsOnBattery(output: string): boolean {
  return output.split(/\s+/).includes("1");
}
