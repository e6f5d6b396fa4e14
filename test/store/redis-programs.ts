// Folders and programs for tests that look for a Redis server or start one.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

export const searchPath = process.env['PATH'] ?? ''
export const nothing = { searchPath: '', npmRedis: 'off', usualFolders: [] } as const

export function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'tabir test-')) // with a space, as real paths may have
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export function program(inFolder: string, name: string, script: string, interpreter = '/bin/sh'): string {
  const path = join(inFolder, name)
  writeFileSync(path, `#!${interpreter}\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}
