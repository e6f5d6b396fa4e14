// Steps in any order, of any kind that takes milliseconds: what no scenario thinks of.

import { DISPUTE_REASONS } from '../../src/domain/trust/trust.js'
import type { Chance } from '../fuzz/chance.js'
import { ADD_WAYS, type Api, REMOVE_WAYS, type Ref, type Step } from './steps.js'

const MIN_STEPS = 10
const MAX_STEPS = 30
const HASHES = 4
const BANKS = ['b0', 'b1']
const CASES = ['c0', 'c1']

export function uniformSteps(chance: Chance): Step[] {
  const at = (): Api => (chance.happens(0.5) ? 1 : 0)
  const homes = [...BANKS, ...CASES]
  const begun: Step[] = [
    ...BANKS.map((home): Step => ({ do: 'create-bank', at: at(), home })),
    ...CASES.map((home): Step => ({ do: 'open-case', at: at(), home })),
  ]
  const length = MIN_STEPS + chance.below(MAX_STEPS - MIN_STEPS)
  const steps = [...begun]
  for (let i = 0; i < length; i++) steps.push(anyStep(chance, homes, at, steps))
  return steps
}

/** Mostly about what was handed in before. */
function anyStep(chance: Chance, homes: readonly string[], at: () => Api, before: readonly Step[]): Step {
  const known = before.flatMap((step): Ref[] => {
    if (step.do === 'submit') return [{ home: 'stopncii', hash: step.hash }]
    return step.do === 'register' ? [{ home: step.home, hash: step.hash }] : []
  })
  const home = chance.oneOf(homes)
  const isVideo = CASES.includes(home) && chance.happens(0.4)
  const anyRef = { home, hash: isVideo ? 'v0' : `h${chance.below(HASHES)}` }
  const ref = known.length > 0 && chance.happens(0.8) ? chance.oneOf(known) : anyRef
  const banked = known.filter(({ home }) => !CASES.includes(home))
  const inBank = banked.length > 0 ? chance.oneOf(banked) : { home: chance.oneOf([...BANKS, 'stopncii']), hash: 'h0' }
  const { hash } = inBank
  const steps: (() => Step)[] = [
    () => ({ do: 'register', at: at(), way: chance.oneOf(ADD_WAYS), reviewed: chance.happens(0.7), ...ref }),
    () => ({ do: 'register', at: at(), way: chance.oneOf(ADD_WAYS), reviewed: chance.happens(0.7), ...ref }),
    () => ({ do: 'register', at: at(), way: chance.oneOf(ADD_WAYS), reviewed: chance.happens(0.7), ...anyRef }),
    () => ({ do: 'remove', at: at(), way: chance.oneOf(REMOVE_WAYS), ...inBank }),
    () => ({ do: 'note', at: at(), text: `note ${chance.below(100)}`, ...inBank }),
    () => ({ do: 'submit', at: at(), hash }),
    () => ({ do: 'take-back', at: at(), hash }),
    () => ({ do: 'pause', at: at(), forS: chance.oneOf([0, 5, 20]), ...inBank }),
    () => ({ do: 'unpause', at: at(), ...inBank }),
    () => ({ do: 'hold', at: at(), ...inBank }),
    () => ({ do: 'release', at: at(), ...inBank }),
    () => ({ do: 'verify', at: at(), ...inBank }),
    () => ({ do: 'attest', at: at(), ...ref }),
    () => ({
      do: 'dispute',
      at: at(),
      by: chance.oneOf(['platform', 'operator']),
      reason: chance.oneOf(DISPUTE_REASONS),
      ...ref,
    }),
    () => ({ do: 'decide', at: at(), outcome: chance.oneOf(['upheld', 'rejected']), ...ref }),
    () => ({ do: 'reinstate', at: at(), ...ref }),
    () => ({ do: 'pass-time', s: chance.oneOf([1, 10, 30]) }),
  ]
  const rare: (() => Step)[] = [
    () => ({ do: 'withdraw', at: at(), home: chance.oneOf(CASES) }),
    () => ({ do: 'expire', at: at(), home: chance.oneOf(CASES) }),
    () => ({ do: 'sweep-ahead', days: chance.oneOf([1, 400, 4000]) }),
    () => ({ do: 'reverse-export', at: at(), home: chance.oneOf(BANKS) }),
    () => ({ do: 'remove-bank', at: at(), home: chance.oneOf(BANKS) }),
    () => ({ do: 'kill', api: at() }),
    () => ({ do: 'kill-redis' }),
    () => ({ do: 'slow', api: at(), ms: chance.oneOf([0, 0, 5, 20]) }),
  ]
  return chance.oneOf(chance.happens(0.12) ? rare : steps)()
}
