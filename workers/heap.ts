// How processes that pass pictures through collect garbage.

import { setFlagsFromString } from 'node:v8'

/**
 * Pictures are outside memory to V8, which answers each few of them by marking its whole heap in steps, with helper threads
 * that take the cores from the decoders. These processes' heaps are small: marking one at once takes a few milliseconds, and
 * halves what a worker costs for each picture (bench/record/submit.md). Not for the api, whose heap holds the catalogue.
 */
export function collectAtOnce(): void {
  setFlagsFromString('--no-incremental-marking')
}
