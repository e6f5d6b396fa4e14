// When the watch of the two children that hash a video gives up.

import { spawn } from 'node:child_process'
import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import { z } from 'zod'
import { createVideoWatch, UNAVAILABLE, UNDECODABLE } from '../../workers/video-watch.js'

/** A watch with children that have used half a second of processor time each, and use no more. */
function watching(t: Test, stuckMs: number, isStarved = false) {
  const asleep = spawn('sleep', ['600'])
  t.teardown(() => asleep.kill('SIGKILL'))
  const child = { process: asleep, isDead: false }
  const watched = { looksEachMs: 0, look: () => {}, asked: 0, answer: undefined as Promise<object> | undefined }
  watched.answer = new Promise((settle) => {
    createVideoWatch({
      children: () => ({ reader: child, decoder: child }),
      settle,
      channel: new PassThrough(),
      stuckMs,
      every(ms, look) {
        Object.assign(watched, { looksEachMs: ms, look })
        return () => {}
      },
      cpuOf: () => 500,
      isStarved: async () => {
        watched.asked++
        return isStarved
      },
    })
  })
  return watched
}

t.test('a pause of the whole machine does not make a video undecodable', async (t) => {
  const watched = watching(t, 300)
  t.ok(watched.looksEachMs < 300)
  watched.look()
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400) // the watch does not run
  watched.look()
  t.equal(watched.asked, 0)
  watched.look()
  t.ok(watched.asked > 0, 'but children that do not move while it runs do')
  t.equal(await watched.answer, UNDECODABLE)
})

t.test('children that do not move because others hold the processors say nothing about the video', async (t) => {
  const watched = watching(t, 100, true)
  watched.look()
  watched.look()
  t.equal(await watched.answer, UNAVAILABLE)
})

t.test('what a child has used counts after it has ended', async (t) => {
  const used = { reader: 400, decoder: 9000 }
  const [reader, decoder] = [watchedChild(t), watchedChild(t)]
  let look = () => {}
  const watch = createVideoWatch({
    children: () => ({ reader, decoder }),
    settle: () => {},
    channel: new PassThrough(),
    stuckMs: 1000,
    every(_, next) {
      look = next
      return () => {}
    },
    cpuOf: (child) => (child?.isDead === true ? undefined : child === reader ? used.reader : used.decoder),
  })
  look()
  decoder.isDead = true
  used.reader = 700
  look()
  t.equal(watch.costMs, 9700)
})

function watchedChild(t: Test) {
  const process = spawn('sleep', ['600'])
  t.teardown(() => process.kill('SIGKILL'))
  return { process, isDead: false }
}

t.test('the reader of a video that costs more than was announced is told that no time is left', async (t) => {
  const asleep = spawn('sleep', ['600'])
  t.teardown(() => asleep.kill('SIGKILL'))
  const child = { process: asleep, isDead: false }
  const channel = new PassThrough()
  let look = () => {}
  let cpuMs = 100
  createVideoWatch({
    ...{ children: () => ({ reader: child, decoder: child }), settle() {}, channel, stuckMs: 60_000, wholeMs: 1000 },
    every(_, called) {
      look = called
      return () => {}
    },
    cpuOf: () => cpuMs,
  })
  const told = () => {
    look()
    return z.instanceof(Buffer).parse(channel.read()).readUInt32BE(4)
  }
  t.equal(told(), 100)
  cpuMs = 1000
  t.equal(told(), 1000)
  cpuMs = 1001
  t.equal(told(), 2 ** 32 - 1)
})
