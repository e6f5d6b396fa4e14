// Loaded before an API process: what it does by the clock (sweeps, releases, snapshots, counts) it does twenty times as often, so that a
// second of a test has as many of their moments as twenty of the service. Nothing else changes.

const TIMES = 20
/** Shorter intervals are not housekeeping. */
const MIN_MS = 1000

const realSetInterval = globalThis.setInterval
const hurried = (...[callback, ms = 0, ...args]: Parameters<typeof realSetInterval>) =>
  realSetInterval(callback, ms >= MIN_MS ? ms / TIMES : ms, ...args)
globalThis.setInterval = Object.assign(hurried, realSetInterval)
