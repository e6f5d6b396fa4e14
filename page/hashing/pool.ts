// Hashes files in workers. The first lets the browser decode the picture. If the browser cannot, a worker with its own decoder for the format takes
// the file, or the worker for videos.

import { ownValue } from '../../packages/core/src/own-value.js'
import { given } from '../given.js'
import { type Pool, workersOf } from './workers.js'

const MAX_WORKERS = 2
/** The name of the script that reads videos, among those that decode formats. */
const VIDEOS = 'video'

/** Whether this browser can read pictures at all. If not, the page offers to upload everything. */
export function canHashHere(): boolean {
  return typeof Worker !== 'undefined' && typeof WebAssembly !== 'undefined' && typeof OffscreenCanvas !== 'undefined'
}

/** @param areEndedWhenIdle ends all workers when nothing waits, and with `stop`. Reading more files may then need a connection. */
export function hashingPool({ areEndedWhenIdle = false } = {}): Pool {
  const maxWorkers = Math.max(1, Math.min(MAX_WORKERS, navigator.hardwareConcurrency))
  const usual = workersOf(given.worker, { maxWorkers, areEndedWhenIdle })
  const decoding = new Map<string, Pool>()

  return {
    async hash(file, wanted, options) {
      const outcome = await usual.hash(file, wanted, options)
      const isVideo = outcome?.kind === 'rejected' && outcome.what === 'video'
      const isUndecoded = outcome?.kind === 'upload' && outcome.because === 'format'
      const name = isVideo ? VIDEOS : isUndecoded ? outcome.format : undefined
      const script = name === undefined ? undefined : ownValue(given.decoders, name)
      if (script === undefined) return outcome
      if (options.signal.aborted) return undefined
      options.handedOn()
      return decoderOf(script, isVideo).hash(file, wanted, options)
    },
    stop() {
      for (const pool of [usual, ...decoding.values()]) pool.stop()
    },
  }

  /** One worker per decoder: a decoded picture of 12 megapixels and the memory to decode it take up to 300 MB. */
  function decoderOf(script: string, havePlayer: boolean): Pool {
    const pool = decoding.get(script) ?? workersOf(script, { maxWorkers: 1, areEndedWhenIdle: true, havePlayer })
    decoding.set(script, pool)
    return pool
  }
}
