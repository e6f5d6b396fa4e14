// An attacker who holds a copy of a registered picture and reads the stored hash from answers: found or not.
//
// Its queries flip groups of bits, chosen so that the distance lies where an answer tells most. It knows the rule of the answers, but not the key. From
// all answers it computes for each bit how probable it is that the copy differs there (Gibbs sampling), and chooses the next groups among bits about
// which it knows least.

const BITS = 256

/** @param next() a random number, 0…1. */
export function reading({ copyBits, next }) {
  const prior = copyBits / BITS
  const truth = new Uint8Array(BITS)
  for (const bit of sample(copyBits, next)) truth[bit] = 1
  const asked = []
  let chance = new Float64Array(BITS).fill(prior)
  let last

  return {
    /** Bits by which a query differs from the copy, such that its distance is about this. */
    group(distanceBits) {
      const flips = new Uint8Array(BITS)
      let bits = 0
      for (const p of chance) bits += Math.min(p, 1 - p)
      // From the most probable hash outwards.
      for (let i = 0; i < BITS; i++) if (chance[i] > 0.5) flips[i] = 1
      const target = distanceBits - next()
      const order = Array.from(chance, (p, i) => [next() ** (1 / (0.002 + p * (1 - p))), i]).sort((a, b) => b[0] - a[0])
      for (const [, i] of order) {
        if (bits >= target) break
        bits += Math.abs(1 - 2 * chance[i])
        flips[i] ^= 1
      }
      return flips
    },
    distanceOf: (flips) => flips.reduce((bits, flip, i) => bits + (flip ^ truth[i]), 0),
    /** @param foundAt the chance that the answer is `found` at each distance. */
    note(flips, isFound, foundAt) {
      asked.push({ flips, likely: foundAt.map((p) => Math.log(Math.max(isFound ? p : 1 - p, 1e-3))) })
    },
    /** Computes the chances from all answers so far. */
    think(sweeps) {
      const chains = [chainOf(asked, { prior, sweeps, next }), chainOf(asked, { prior, sweeps, next })]
      if (last !== undefined) chains.push(chainOf(asked, { prior, sweeps, next, from: last }))
      // Chains that explain the answers much worse than another did not find the way.
      const best = chains.reduce((one, other) => (other.likely > one.likely ? other : one))
      const weights = chains.map(({ likely }) => Math.exp((likely - best.likely) / 4))
      const sum = weights.reduce((all, weight) => all + weight, 0)
      chance = chance.map((_, i) => chains.reduce((p, chain, k) => p + (weights[k] / sum) * chain.chance[i], 0))
      last = best.state
    },
    /** Bits that it learnt about the stored hash: by how much its chances describe it better than those at the beginning. */
    learnt() {
      let bits = 0
      for (let i = 0; i < BITS; i++) {
        const p = Math.min(0.99, Math.max(prior / 10, chance[i]))
        bits += truth[i] ? Math.log2(p / prior) : Math.log2((1 - p) / (1 - prior))
      }
      return bits
    },
    /** Bits in which its best guess still differs. */
    wrong: () => chance.reduce((bits, p, i) => bits + (Number(p > 0.5) ^ truth[i]), 0),
  }
}

/**
 * Gibbs sampling.
 * @param from a state to begin with; without one, the answers count more and more in the first half of the sweeps, so that it does not get stuck.
 * @returns for each bit the chance that it differs; the last state; and the mean logarithm of its probability.
 */
function chainOf(asked, { prior, sweeps, next, from }) {
  const state = from === undefined ? Uint8Array.from({ length: BITS }, () => Number(next() < prior)) : Uint8Array.from(from)
  const distances = asked.map(({ flips }) => flips.reduce((bits, flip, i) => bits + (flip ^ state[i]), 0))
  const chance = new Float64Array(BITS)
  const skipped = sweeps >> 1
  let weight = 0
  let mean = 0
  const oddsOf = (i) => {
    let logOdds = 0
    for (let q = 0; q < asked.length; q++) {
      const { flips, likely } = asked[q]
      const without = distances[q] - (flips[i] ^ state[i])
      logOdds += flips[i] ? likely[without] - likely[without + 1] : likely[without + 1] - likely[without]
    }
    return weight * logOdds
  }
  const set = (i, is) => {
    if (is === state[i]) return
    for (let q = 0; q < asked.length; q++) distances[q] += asked[q].flips[i] === is ? -1 : 1
    state[i] = is
  }
  for (let sweep = 0; sweep < sweeps; sweep++) {
    weight = from === undefined ? Math.min(1, ((sweep + 1) / skipped) ** 2) : 1
    for (let i = 0; i < BITS; i++) {
      const p = 1 / (1 + Math.exp(-Math.log(prior / (1 - prior)) - oddsOf(i)))
      if (sweep >= skipped) chance[i] += p / (sweeps - skipped)
      set(i, Number(next() < p))
    }
    // Exchanges of two bits, which leave the distance to the copy as it is.
    for (let tries = 0; tries < BITS; tries++) {
      const [one, other] = [Math.floor(next() * BITS), Math.floor(next() * BITS)]
      if (state[one] === 0 || state[other] === 1) continue
      const before = -oddsOf(one)
      set(one, 0)
      const gain = before + oddsOf(other)
      if (Math.log(next()) < gain) set(other, 1)
      else set(one, 1)
    }
    if (sweep < skipped) continue
    const ones = state.reduce((sum, is) => sum + is, 0)
    const ofAnswers = asked.reduce((sum, { likely }, q) => sum + likely[distances[q]], 0)
    mean += (ofAnswers + ones * Math.log(prior / (1 - prior))) / (sweeps - skipped)
  }
  return { chance, state, likely: mean }
}

function sample(count, next) {
  const bits = new Set()
  while (bits.size < count) bits.add(Math.floor(next() * BITS))
  return bits
}
