import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { linuxOnBattery, macOnBattery, powershell, windowsOnBattery } from "../src/battery";

function supplies(all: Record<string, Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "supplies-"));
  for (const [name, files] of Object.entries(all)) {
    mkdirSync(join(folder, name));
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, name, file), text);
  }
  return folder;
}

test("Linux: a system battery that discharges counts, a mouse's does not", async () => {
  const laptop = supplies({
    AC: { type: "Mains\n" },
    BAT0: { type: "Battery\n", status: "Discharging\n" },
  });
  const mouse = supplies({
    hid: { type: "Battery\n", scope: "Device\n", status: "Discharging\n" },
    BAT0: { type: "Battery\n", status: "Full\n" },
  });
  assert.equal(await linuxOnBattery(laptop), true);
  assert.equal(await linuxOnBattery(mouse), false);
  rmSync(laptop, { recursive: true });
  rmSync(mouse, { recursive: true });
});

test("macOS and Windows say it in their own words", () => {
  assert.ok(macOnBattery("Now drawing from 'Battery Power'\n"));
  assert.ok(!macOnBattery("Now drawing from 'AC Power'\n"));
  assert.ok(windowsOnBattery("1\r\n"));
  assert.ok(!windowsOnBattery("2\r\n"));
  assert.ok(!windowsOnBattery(""));
});

test("PowerShell is named by its whole path", () => {
  assert.equal(
    powershell({ SystemRoot: "D:\\Windows" }),
    "D:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",
  );
  assert.match(powershell({}), /^C:\\Windows\\System32\\/);
});
