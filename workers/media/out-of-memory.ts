// Tells a lack of memory from a damaged file, so that a picture is not reported as damaged because this machine has too little memory.

import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { isOutOfMemory } from '../../packages/hash/src/wasm.js'

/** What libvips, libjpeg, libpng, libwebp, libtiff, libheif and the C++ runtime say when memory ran out. */
const OUT_OF_MEMORY_MESSAGES =
  /out of memory|not enough memory|insufficient memory|cannot allocate|allocation failed|bad_alloc/i

/**
 * Decoders say many other things when they get no memory, so with less than this left, in megabytes, every failure counts as a lack of it. At limits
 * of 108 to 120 MB sound pictures of a megapixel failed with up to 8 MB left.
 */
const SPARE_MB = 16

/** @param error what a decoder, an allocation or a kernel threw. @returns whether memory ran out. */
export function ranOutOfMemory(error: unknown, roomMb: number = memoryRoomMb()): boolean {
  if (roomMb < SPARE_MB) return true
  if (isOutOfMemory(error)) return !isStackOverflow(error)
  return error instanceof Error && OUT_OF_MEMORY_MESSAGES.test(error.message)
}

/** V8 throws a RangeError for it too. The file causes it, and would again. */
function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes('call stack')
}

/**
 * Ends a child whose error nobody caught. Without memory it exits as an aborted program does, because V8 either throws or aborts then: it depends on
 * what it was allocating. Its parent tells both from a crash by this code.
 */
export function exitOnUncaught(): void {
  process.on('uncaughtException', (error) => process.exit(ranOutOfMemory(error) ? 128 + constants.signals.SIGABRT : 1))
}

/**
 * Whether a picture may have failed for lack of memory, whatever the error was: decoders give back what they had before they report it.
 * @param neededMb as estimated from its header.
 */
export function mayHaveLackedMemory(neededMb: number, roomMb: number): boolean {
  return roomMb < neededMb + SPARE_MB
}

/** @returns how many megabytes this process may still allocate, by its own limit; infinity without one, and where the system does not tell. */
export function memoryRoomMb(read: (file: string) => string = readIfThere): number {
  const limit = /^Max data size +(\d+)/m.exec(read('/proc/self/limits'))
  const used = /^VmData:\s+(\d+) kB/m.exec(read('/proc/self/status'))
  if (limit === null || used === null) return Number.POSITIVE_INFINITY
  return (Number(limit[1]) / 1024 - Number(used[1])) / 1024
}

function readIfThere(file: string): string {
  return existsSync(file) ? readFileSync(file, 'latin1') : ''
}
