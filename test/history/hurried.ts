// Loaded before an API process so that everything scheduled (sweeps, releases, snapshots, counts) runs twenty times as often:
// a second of a test has as many of these moments as twenty of the service. Nothing else changes.

const TIMES = 20
/** Shorter intervals are no housekeeping. */
const MIN_MS = 1000

const realSetInterval = globalThis.setInterval
const hurried = (...[callback, ms = 0, ...args]: Parameters<typeof realSetInterval>) =>
  realSetInterval(callback, ms >= MIN_MS ? ms / TIMES : ms, ...args)
globalThis.setInterval = Object.assign(hurried, realSetInterval)
