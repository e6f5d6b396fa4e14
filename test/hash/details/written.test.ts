import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { detailsWith } from '../../../packages/hash/src/details/details.js'
import {
  MAX_ASKED_BYTES,
  MAX_REGISTERED_BYTES,
  readAsked,
  readRegistered,
  writeAsked,
  writeRegistered,
} from '../../../packages/hash/src/details/written.js'
import { loadDetailsKernelSync } from '../../../packages/hash/src/details-kernel.js'
import { loadFrameKernelSync } from '../../../packages/hash/src/frame-kernel.js'
import { detailsOf } from '../../../packages/hash/src/hash-image.js'
import { drawn, noisy } from '../synthetic.js'

const details = detailsWith(loadDetailsKernelSync(), loadFrameKernelSync())
const picture = drawn(4, 640, 480)

t.test('the details of a picture are read as they were written', async (t) => {
  for (const pixels of [picture, noisy(3, 700, 500, 1), drawn(5, 48, 48), drawn(6, 47, 900), drawn(7, 1200, 60)]) {
    const [registered, asked] = [details.register(pixels), details.ask(pixels)]
    assert.deepEqual(readRegistered(writeRegistered(registered)), registered)
    const read = readAsked(writeAsked(asked)) ?? []
    t.equal(read.length, asked.length)
    for (const [i, view] of asked.entries()) {
      for (const side of ['left', 'top', 'right', 'bottom'] as const)
        assert.ok(Math.abs((read[i]?.part[side] ?? 9) - view.part[side]) < 1e-4)
      for (const [k, { x, y, ...feature }] of view.features.entries()) {
        const { x: readX = -1, y: readY = -1, ...other } = read[i]?.features[k] ?? {}
        assert.deepEqual(other, feature)
        assert.ok(Math.hypot(readX - x, readY - y) < 0.1 && readX < view.width && readY < view.height)
      }
    }
    const written = [writeRegistered(registered).length, writeAsked(asked).length]
    t.ok((written[0] ?? 0) <= MAX_REGISTERED_BYTES && (written[1] ?? 0) <= MAX_ASKED_BYTES, `${written}`)
  }
})

t.test('@tabir/hash gives the same details in base64, and none for a picture without room for details', async (t) => {
  t.equal(await detailsOf(picture), Buffer.from(writeAsked(details.ask(picture))).toString('base64'))
  const registered = Buffer.from(writeRegistered(details.register(picture))).toString('base64')
  t.equal(await detailsOf(picture, { purpose: 'register' }), registered)
  const tiny = drawn(5, 40, 300)
  t.same(readAsked(Buffer.from(await detailsOf(tiny), 'base64')), [])
  t.same(readRegistered(Buffer.from(await detailsOf(tiny, { purpose: 'register' }), 'base64'))?.ranked.rows, [])
})

t.test('malformed details are rejected', async (t) => {
  const [registered, asked] = [writeRegistered(details.register(picture)), writeAsked(details.ask(picture))]
  const changed = (bytes: Uint8Array, at: number, value: number) =>
    Uint8Array.from(bytes, (byte, i) => (i === at ? value : byte))
  const bad = [
    registered.subarray(1),
    registered.subarray(0, -1),
    Uint8Array.of(...registered, 0),
    changed(registered, 0, 2),
    changed(registered, 1, 0),
    changed(registered, 2, 241),
    changed(registered, 3, 49),
    changed(registered, 5, 6), // a level out of range
    changed(registered, 5, 7),
    changed(registered, 5, 16 * 8), // an angle out of range
  ]
  for (const [i, bytes] of bad.entries()) t.equal(readRegistered(bytes), undefined, `registered ${i}`)
  const whole = details.register(picture)
  for (const beyond of [{ column: 32 }, { row: 32 }]) {
    const points = whole.points.points.map((point, i) => (i === 3 ? { ...point, ...beyond } : point))
    t.equal(
      readRegistered(writeRegistered({ ...whole, points: { ...whole.points, points } })),
      undefined,
      'a point outside of the picture',
    )
  }
  const views = [
    asked.subarray(0, -1),
    Uint8Array.of(...asked, 0),
    changed(asked, 1, 10), // views
    changed(asked, 3, 4), // 1,024 pixels and more
    changed(asked, 7, 200), // 51,200 features
    writeAsked(details.ask(picture).map((view) => ({ ...view, part: { left: 0.6, top: 0, right: 0.2, bottom: 1 } }))),
    changed(asked, 17, 255), // a place outside of the view
    changed(asked, 20, 64), // an angle
    changed(asked, 21, 6), // a level
  ]
  for (const [i, bytes] of views.entries()) t.equal(readAsked(bytes), undefined, `asked ${i}`)

  const [view] = details.ask(picture)
  const [feature] = view?.features ?? []
  if (view === undefined || feature === undefined) throw new Error('a picture with details')
  const many = Array.from({ length: 301 }, () => feature)
  t.ok(readAsked(writeAsked([{ ...view, features: many.slice(1) }])))
  const wellFormed = {
    'ten views': Array.from({ length: 10 }, () => ({ ...view, features: [] })),
    '301 features': [{ ...view, features: many }],
    'no width': [{ ...view, width: 0, features: [] }],
    'no height': [{ ...view, height: 0, features: [] }],
    'a part without width': [{ ...view, part: { left: 0.5, top: 0, right: 0.5, bottom: 1 } }],
    'a part without height': [{ ...view, part: { left: 0, top: 0.5, right: 1, bottom: 0.5 } }],
  }
  for (const [what, wrong] of Object.entries(wellFormed)) t.equal(readAsked(writeAsked(wrong)), undefined, what)
  const at100 = writeAsked([{ ...view, width: 200, height: 200, features: [{ ...feature, x: 100, y: 100 }] }])
  for (const sideAt of [2, 4]) {
    t.ok(readAsked(changed(at100, sideAt, 101)))
    t.equal(readAsked(changed(at100, sideAt, 100)), undefined, 'outside of the view')
  }

  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.constantFrom(1, 2), (bytes, kind) => {
      const given = Uint8Array.of(kind, ...bytes)
      const [first, second] = [readRegistered(given), readAsked(given)]
      if (first !== undefined) assert.deepEqual(writeRegistered(first), given)
      if (second !== undefined) assert.deepEqual(writeAsked(second), given)
    }),
  )
})
