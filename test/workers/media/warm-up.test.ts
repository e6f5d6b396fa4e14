// A child compiles its WebAssembly decoders while it is idle.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { leaveUnread } from '../../../src/domain/media/media-formats.js'
import { decode } from '../../../workers/media/decode.js'
import { onceIdle, warmUp } from '../../../workers/media/warm-up.js'
import { heic } from '../../helpers/heic.js'
import { scene } from '../../helpers/pictures.js'
import { openWith } from '../../helpers/sandbox.js'
import { until } from '../../helpers/service.js'

const REAL_CHILD = fileURLToPath(new URL('../../../workers/media/child.js', import.meta.url))

t.test('the decoders of HEIC and JPEG XL are compiled in advance, and HEIC only if it is read', async (t) => {
  const { bytes: jxl } = await scene(3, { format: 'jxl' })
  let compiled = 0
  const { Module } = WebAssembly
  t.teardown(() => {
    WebAssembly.Module = Module
    leaveUnread([])
  })
  WebAssembly.Module = class extends Module {
    constructor(...given: ConstructorParameters<typeof Module>) {
      super(...given)
      compiled++
    }
  }
  leaveUnread(['heif'])
  t.equal(await warmUp(), 5)
  t.equal(compiled, 1)
  leaveUnread([])
  t.equal(await warmUp(), 10)
  t.equal(compiled, 2)
  await decode(heic('two'))
  await decode(jxl)
  t.equal(compiled, 2, 'pictures find the decoders compiled')
})

t.test('the warm-up runs once, and only after a while without pictures', async (t) => {
  const alarms: { readonly ring: () => void; isCancelled: boolean }[] = []
  let done = 0
  const idleness = onceIdle(
    () => done++,
    (ring) => {
      const alarm = { ring, isCancelled: false }
      alarms.push(alarm)
      return () => {
        alarm.isCancelled = true
      }
    },
  )
  t.same(alarms, [])
  idleness.end()
  idleness.begin()
  t.equal(alarms[0]?.isCancelled, true, 'a picture came')
  idleness.end()
  t.match(alarms[1], { isCancelled: false })
  alarms[1]?.ring()
  t.equal(done, 1)
  idleness.begin()
  idleness.end()
  t.equal(alarms.length, 2, 'later pictures set no timer')
})

t.test('a child warms up by itself', async (t) => {
  const sandbox = await openWith(t, { entry: [REAL_CHILD] })
  const status = () => readFileSync(`/proc/${sandbox.pids[0]}/status`, 'utf8')
  const residentMb = () => Number(/VmRSS:\s+(\d+)/.exec(status())?.[1]) / 1024
  const startedMb = residentMb()
  await until(() => residentMb() > startedMb + 20)
  t.ok('image' in (await sandbox.hash(heic('two'), 'submission')))
})
