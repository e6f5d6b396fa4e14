// Tells a lack of memory from a damaged file, so that a picture is not reported as damaged because this machine has too little memory.

import { isOutOfMemory } from '../../packages/hash/src/wasm.js'

/** What libvips, libjpeg, libpng, libwebp, libtiff, libheif and the C++ runtime say when memory ran out. */
const DECODERS_WORDS = /out of memory|not enough memory|insufficient memory|cannot allocate|allocation failed|bad_alloc/i

/** @param error what a decoder, an allocation or a kernel threw. @returns whether memory ran out. */
export function ranOutOfMemory(error: unknown): boolean {
  return isOutOfMemory(error) || (error instanceof Error && DECODERS_WORDS.test(error.message))
}
