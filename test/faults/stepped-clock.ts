// Loaded before a process of the service so that its wall clock can be stepped from outside. On SIGUSR2 it reads from a file
// by how many milliseconds it is off from now on. The monotonic clock stays as it is, as when a real clock is stepped.

import { readFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

const RealDate = Date
let offsetMs = 0

class SteppedDate extends RealDate {
  constructor(...given: readonly unknown[]) {
    const value = given[0]
    if (given.length === 0) super(SteppedDate.now())
    else if (given.length === 1 && (typeof value === 'string' || typeof value === 'number')) super(value)
    else super(Reflect.construct(RealDate, given).getTime())
  }

  static override now(): number {
    return RealDate.now() + offsetMs
  }
}
Object.defineProperty(globalThis, 'Date', { value: SteppedDate })

const file = process.env['STEPPED_CLOCK']
const read = () => {
  if (file !== undefined) offsetMs = Number(readFileSync(file, 'utf8'))
}
if (isMainThread) {
  process.on('SIGUSR2', read)
  try {
    read() // a restarted process has the clock of its machine
  } catch {
    // it has not been stepped yet
  }
}
