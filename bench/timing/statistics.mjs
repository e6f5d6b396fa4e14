// How well times tell two kinds of queries apart.

/** Welch's test of two means. @returns its two-sided p-value; samples are so large that the normal distribution stands for Student's. */
export function welch(a, b) {
  const [one, other] = [moments(a), moments(b)]
  const t = (one.mean - other.mean) / Math.sqrt(one.variance / a.length + other.variance / b.length)
  return erfc(Math.abs(t) / Math.SQRT2)
}

/** The test of Kolmogorov and Smirnov for two samples. @returns its p-value, asymptotically. */
export function kolmogorovSmirnov(a, b) {
  const [one, other] = [sorted(a), sorted(b)]
  let farthest = 0
  for (let i = 0, j = 0; i < one.length && j < other.length; ) {
    const value = Math.min(one[i], other[j])
    while (i < one.length && one[i] <= value) i++
    while (j < other.length && other[j] <= value) j++
    farthest = Math.max(farthest, Math.abs(i / one.length - j / other.length))
  }
  const n = Math.sqrt((one.length * other.length) / (one.length + other.length))
  const lambda = (n + 0.12 + 0.11 / n) * farthest
  if (lambda < 0.3) return 1 // the series does not converge there
  let p = 0
  for (let k = 1; k <= 100; k++) p += 2 * (-1) ** (k - 1) * Math.exp(-2 * k * k * lambda * lambda)
  return Math.min(1, Math.max(0, p))
}

/**
 * How often somebody who asks one hash so many times is right about its kind, at the best threshold there is, which that somebody would first
 * have to find. Half of the hashes are of either kind.
 *
 * @param a @param b for each hash its times, in the order in which they were measured
 * @param summary of the times of one hash: what is compared with the threshold
 */
export function accuracyAfter(queries, a, b, summary) {
  const valuesOf = (hashes) =>
    hashes.flatMap((times) =>
      Array.from({ length: Math.floor(times.length / queries) }, (_, i) =>
        summary(times.slice(i * queries, (i + 1) * queries)),
      ),
    )
  const [one, other] = [sorted(valuesOf(a)), sorted(valuesOf(b))]
  let best = 0.5
  let j = 0
  for (const [i, value] of one.entries()) {
    while (j < other.length && other[j] <= value) j++
    const below = (i + 1) / one.length
    const share = (below + 1 - j / other.length) / 2
    best = Math.max(best, share, 1 - share)
  }
  return best
}

export function median(values) {
  return sorted(values)[values.length >> 1]
}

export function minimum(values) {
  return values.reduce((least, value) => Math.min(least, value))
}

function sorted(values) {
  return Float64Array.from(values).sort()
}

function moments(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
  return { mean, variance }
}

/** Abramowitz and Stegun 7.1.26, and its asymptote where that has no digits left. */
function erfc(x) {
  if (x > 5) return Math.exp(-x * x) / (x * Math.sqrt(Math.PI))
  const t = 1 / (1 + 0.3275911 * x)
  const polynomial = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
  return polynomial * Math.exp(-x * x)
}
