// Indexes made of rows, and searches that run step by step.

import assert from 'node:assert/strict'
import type { Hit } from '../../packages/core/src/search/hit.js'
import type { Row } from '../../packages/core/src/search/linear.js'
import { SignalIndex } from '../../packages/core/src/search/signal-index.js'

export function indexOf(rows: readonly Row[]): SignalIndex {
  const index = new SignalIndex()
  for (const { image, view, hash } of rows) index.insert(image, view, hash)
  return index
}

/** Compacts until nothing is left to do, which must happen. */
export function compactAll(index: SignalIndex): void {
  for (let calls = 0; index.compact(100_000); calls++) assert.ok(calls < 10_000)
}

export function finishCounting(search: Generator<void, Hit[], void>): { readonly hits: Hit[]; readonly pauses: number } {
  let pauses = 0
  for (;;) {
    const step = search.next()
    if (step.done === true) return { hits: step.value, pauses }
    pauses++
  }
}

export function finish(search: Generator<void, Hit[], void>): Hit[] {
  let step = search.next()
  while (step.done !== true) step = search.next()
  return step.value
}
