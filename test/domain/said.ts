import { act, type Trust, type TrustAction } from '../../src/domain/trust/trust.js'

/** @returns the trust after these acts. @throws {Error} with the reason when one is refused. */
export function said(trust: Trust, ...actions: readonly TrustAction[]): Trust {
  return actions.reduce((before, action) => {
    const after = act(before, action, 1)
    if (typeof after === 'string') throw new Error(after)
    return after
  }, trust)
}
