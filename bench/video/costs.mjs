// Processor time of decoding, hashing and searching.

/** Adds the processor time of all threads [ms] during `work` to `costs`, under that name. @returns the result of `work`, or a promise of it. */
export function timed(costs, name, work) {
  const before = process.cpuUsage()
  const end = () => {
    const { user, system } = process.cpuUsage(before)
    costs[name] = (costs[name] ?? 0) + (user + system) / 1000
  }
  const result = work()
  if (result instanceof Promise) return result.finally(end)
  end()
  return result
}

/** Sums costs and the minutes of film that they are for. */
export class Costs {
  #sums = { minutes: 0, decodeMs: 0, hashMs: 0, searchMs: 0 }

  /** @param {{ minutes?: number, decodeMs?: number, hashMs?: number, searchMs?: number }} costs */
  add(costs) {
    for (const [name, value] of Object.entries(costs)) this.#sums[name] += value
  }

  get minutes() {
    return this.#sums.minutes
  }

  /** @returns seconds of processor per minute of film. */
  perMinute() {
    const { minutes, decodeMs, hashMs, searchMs } = this.#sums
    const of = (ms) => ms / 1000 / Math.max(minutes, 1e-9)
    return { decode: of(decodeMs), hash: of(hashMs), search: of(searchMs) }
  }
}
