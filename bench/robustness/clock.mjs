// Wall time and processor time of work.

import { percentile } from '../report.mjs'

export class Stopwatch {
  #wallMs = []
  #cpuMs = 0

  /** @returns what the work returns. */
  time(work) {
    const [cpu, start] = [process.cpuUsage(), performance.now()]
    const result = work()
    this.#wallMs.push(performance.now() - start)
    const { user, system } = process.cpuUsage(cpu)
    this.#cpuMs += (user + system) / 1000
    return result
  }

  summary() {
    const count = Math.max(1, this.#wallMs.length)
    const mean = this.#wallMs.reduce((sum, ms) => sum + ms, 0) / count
    return { meanMs: mean, p50Ms: percentile(this.#wallMs, 0.5) ?? 0, cpuMs: this.#cpuMs / count }
  }
}
