// How processes that pass pictures through collect garbage.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Pictures are outside memory to V8, which answers each few of them by marking its whole heap in steps, with helper threads
 * that take the cores from the decoders. These processes' heaps are small: marking one at once takes a few milliseconds, and
 * halves what a worker costs for each picture (bench/record/submit.md). Not for the api, whose heap holds the catalogue.
 */
export function collectAtOnce(): void {
  setFlagsFromString('--no-incremental-marking')
}

/**
 * V8 lets garbage lie until the heap has doubled, which in a child takes thousands of pictures: for hours its memory seems to grow.
 *
 * @returns what is to be called after each picture: every `pictures`th time it collects all there is, in some 10 ms.
 */
export function collectEvery(pictures: number): () => void {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  let since = 0
  return () => {
    if (++since < pictures) return
    since = 0
    collect()
  }
}
