// Random numbers that follow from a text, so that an edit has the same bytes in every run.

/** FNV-1a, 32 bits, over UTF-16 units. */
export function fnv1a(text) {
  let hash = 2166136261
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619)
  return hash >>> 0
}

/** @returns a generator of numbers 0 ≤ x < 1 (mulberry32), with some distributions. */
export function randomOf(seedText) {
  let state = fnv1a(seedText) || 1
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
  next.int = (least, most) => least + Math.floor(next() * (most - least + 1))
  next.pick = (values) => values[Math.floor(next() * values.length)]
  next.gauss = () => Math.sqrt(-2 * Math.log(next() || 1e-9)) * Math.cos(2 * Math.PI * next())
  return next
}
