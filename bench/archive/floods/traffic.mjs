// Random platforms, hashes and arrivals of simulated traffic.

import { hashFromBytes } from '../../../dist/packages/hash/src/hash256.js'

/** Platform k has 1/k of the first one's traffic. */
export function platformOf(platforms, random) {
  const weights = Array.from({ length: platforms }, (_, k) => 1 / (k + 1))
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0)
  for (const [k, weight] of weights.entries()) {
    left -= weight
    if (left < 0) return k
  }
  return platforms - 1
}

/** A random hash. */
export function drawn(random) {
  return hashFromBytes(Uint8Array.from({ length: 32 }, () => random.int(0, 255)))
}

/** A hash that differs by `bits` bits. */
export function flipped(hash, bits, random) {
  const bytes = Uint8Array.from(hash)
  const places = new Set()
  while (places.size < bits) places.add(random.int(0, 255))
  for (const bit of places) bytes[bit >> 3] ^= 1 << (bit & 7)
  return hashFromBytes(bytes)
}

/** A random number of uploads in a minute, with this mean. */
export function poisson(mean, random) {
  if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)))
  const limit = Math.exp(-mean)
  let count = 0
  for (let product = random(); product > limit; product *= random()) count++
  return count
}

function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
