// Garbage collection of processes that pass pictures through.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Makes V8 mark its heap in one step. By default it marks in many steps, with helper threads that take processor time from the decoders, and starts
 * after every few pictures, because pictures count as memory outside the heap. These heaps are small: marking one at once takes a few milliseconds
 * and halves the cost of a picture in a worker (bench/record/submit.md). Not for the api, whose heap holds the catalogue.
 */
export function collectAtOnce(): void {
  setFlagsFromString('--no-incremental-marking')
}

/**
 * V8 collects garbage only when the heap has doubled. In a child that takes thousands of pictures, so for hours its memory seems to grow.
 *
 * @returns a function to call after each picture. Every `pictures`th call collects all garbage, in some 10 ms.
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
