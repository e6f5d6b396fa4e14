// The lists of fuzz/mutate.mjs. A list has
//
//   mutations  one change each (`file`, `from`, `to`), or several that are made together (`changes`, and `why` as a name)
//   tests      the tests that must notice, quick ones first; or `runOf`, which returns a program for a mutation
//
// `from` occurs once in its file. A mutation with `survives` changes nothing that a test could notice; the text says why.

import { details } from './details.mjs'
import { exchange } from './exchange.mjs'
import { history } from './history.mjs'
import { looks } from './looks.mjs'
import { search } from './search.mjs'
import { trust } from './trust.mjs'
import { video } from './video.mjs'

export const lists = new Map(Object.entries({ search, details, exchange, history, looks, trust, video }))

export function changesOf({ changes, file, from, to }) {
  return changes ?? [{ file, from, to }]
}
