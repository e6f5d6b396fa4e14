// A file system in memory that can be filled completely.

import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

const BLOCK_BYTES = 4096

/** Mounting needs root, which CI has. Elsewhere these tests are skipped, and files that write less than they are given simulate a full disk. */
export const SMALL_DISK = process.getuid?.() === 0 || process.env['CI'] !== undefined ? {} : { skip: 'mounting needs root' }

export interface SmallDisk {
  readonly path: string
  /** Fills the disk, except for that many blocks of 4096 bytes. */
  fill(freeBlocks?: number): void
  /** Frees the space again. */
  empty(): void
}

export function smallDisk(t: Pick<Test, 'teardown'>, sizeKb = 128): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), 'tabir-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeKb}k,mode=0700`, 'tmpfs', path])
  t.teardown(() => {
    execFileSync('umount', ['-l', path])
    rmSync(path, { recursive: true })
  })
  const filler = join(path, 'filler')
  return {
    path,
    fill(freeBlocks = 0) {
      const file = openSync(filler, 'a')
      let bytes = 0
      try {
        for (;;) bytes += writeSync(file, Buffer.alloc(BLOCK_BYTES))
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
      } finally {
        closeSync(file)
      }
      truncateSync(filler, bytes - freeBlocks * BLOCK_BYTES)
    },
    empty: () => rmSync(filler, { force: true }),
  }
}
