// The real api process, which records its start: when it reached which step, and how long the parts of loading took. Its classes are wrapped before it
// starts. Times of its threads are not included; they show as waiting.

import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import v8 from 'node:v8'
import { answer } from './answers.mjs'

const reached = { entry: nowMs() }
const spentMs = {}

answer({ account: () => ({ reached, spentMs }) }, { saysReady: false })

const [{ Catalogue }, { Replica }] = await Promise.all([
  import('../../dist/src/services/index/catalogue.js'),
  import('../../dist/src/services/index/replica.js'),
  import('../../dist/src/app/services.js'),
])
reached.imported = nowMs()

for (const name of ['load', 'restore', 'tidy']) wrap(Catalogue.prototype, name, name)
wrap(/** @type {any} */ (crypto).Decipheriv.prototype, 'update', 'unseal')
wrap(v8, 'deserialize', 'deserialize')
syncBuiltinESMExports() // so that those who import `deserialize` by its name have the wrapped one
note(Replica.prototype, 'start', 'hydrating')
note(process, 'send', 'ready', (message) => message.ready === true)

await import('../../dist/src/boot/server.js')

/** Adds up the time of a method, or of each step of the generator that it returns. A method that no longer exists counts as 0. */
function wrap(owner, method, name) {
  const original = owner[method]
  spentMs[name] = 0
  if (original === undefined) return
  owner[method] = function (...args) {
    const result = timed(name, () => original.apply(this, args))
    return typeof result?.next === 'function' ? stepByStep(name, result) : result
  }
}

function* stepByStep(name, work) {
  for (;;) {
    const step = timed(name, () => work.next())
    if (step.done) return step.value
    yield step.value
  }
}

function timed(name, work) {
  const begun = performance.now()
  try {
    return work()
  } finally {
    spentMs[name] += performance.now() - begun
  }
}

function note(owner, method, name, counts = () => true) {
  const original = owner[method]
  owner[method] = function (...args) {
    if (counts(...args)) reached[name] ??= nowMs()
    return original.apply(this, args)
  }
}

/** Milliseconds, comparable between processes. */
function nowMs() {
  return performance.timeOrigin + performance.now()
}
