// Has files hashed by workers: first by those that open what the browser can decode, then by one that decodes the format by itself.

import { ownValue } from '../../src/domain/own-value.js'
import { given } from '../given.js'
import { type Pool, workersOf } from './workers.js'

const MAX_WORKERS = 2

/** May this browser read pictures at all? Where it says no, everything is offered for upload. */
export function canHashHere(): boolean {
  return typeof Worker !== 'undefined' && typeof WebAssembly !== 'undefined' && typeof OffscreenCanvas !== 'undefined'
}

export function hashingPool(): Pool {
  const usual = workersOf(given.worker, { maxWorkers: Math.max(1, Math.min(MAX_WORKERS, navigator.hardwareConcurrency)) })
  const decoding = new Map<string, Pool>()

  return {
    async hash(file, wanted, begun) {
      const outcome = await usual.hash(file, wanted, begun)
      if (outcome?.kind !== 'upload' || outcome.because !== 'format') return outcome
      const script = ownValue(given.decoders, outcome.format)
      return script === undefined ? outcome : await decoderOf(script).hash(file, wanted, begun)
    },
    stop() {
      for (const pool of [usual, ...decoding.values()]) pool.stop()
    },
  }

  /** One worker each: a decoded picture of 12 megapixels and the memory to decode it take up to 300 MB. */
  function decoderOf(script: string): Pool {
    const pool = decoding.get(script) ?? workersOf(script, { maxWorkers: 1, areEndedWhenIdle: true })
    decoding.set(script, pool)
    return pool
  }
}
