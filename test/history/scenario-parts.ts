// What scenarios are made of.

import { DISPUTE_REASONS } from '../../src/domain/trust/trust.js'
import type { Chance } from '../fuzz/chance.js'
import { ADD_WAYS, type Api, REMOVE_WAYS, type Ref, type Step } from './steps.js'

export const api = (chance: Chance): Api => (chance.happens(0.5) ? 1 : 0)
export const count = (chance: Chance, from: number, to: number) => from + chance.below(to - from + 1)
export const many = <T>(length: number, make: (i: number) => T): T[] => Array.from({ length }, (_, i) => make(i))

/** Sequences in one, each in its own order. */
export function interleaved(chance: Chance, threads: readonly (readonly Step[])[]): Step[] {
  const left = threads.map((thread) => [...thread]).filter(({ length }) => length > 0)
  const steps: Step[] = []
  while (left.length > 0) {
    const thread = chance.oneOf(left)
    const step = thread.shift()
    if (step !== undefined) steps.push(step)
    if (thread.length === 0) left.splice(left.indexOf(thread), 1)
  }
  return steps
}

export const bank = (chance: Chance, home: string): Step => ({ do: 'create-bank', at: api(chance), home })
export const inBank = (chance: Chance, ref: Ref, reviewed = true): Step => ({
  do: 'register',
  at: api(chance),
  way: chance.oneOf(ADD_WAYS),
  reviewed,
  ...ref,
})
export const inCase = (chance: Chance, ref: Ref): Step => ({
  do: 'register',
  at: api(chance),
  way: 'json',
  reviewed: true,
  ...ref,
})
export const openCase = (chance: Chance, home: string): Step => ({ do: 'open-case', at: api(chance), home })
export const remove = (chance: Chance, ref: Ref): Step => ({
  do: 'remove',
  at: api(chance),
  way: chance.oneOf(REMOVE_WAYS),
  ...ref,
})
/** The name of a picture, or of a video. */
export const named = (chance: Chance, i: number) => `${chance.happens(0.4) ? 'v' : 'p'}${i}`
export const refs = (home: string, length: number): Ref[] => many(length, (i) => ({ home, hash: `h${i}` }))
export const judged = (
  chance: Chance,
  ref: Ref,
  outcome: 'upheld' | 'rejected',
  reason = chance.oneOf(DISPUTE_REASONS),
): Step[] => [
  { do: 'dispute', at: api(chance), by: chance.oneOf(['platform', 'operator']), reason, ...ref },
  { do: 'decide', at: api(chance), outcome, ...ref },
]
