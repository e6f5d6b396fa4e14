import { EventEmitter } from 'node:events'
import t from 'tap'
import { createArrivingPictures } from '../../src/http/arriving-pictures.js'

t.test('a picture counts as arriving until its body ends, its response closes or 250 ms have passed', async (t) => {
  let nowMs = 0
  const coming = createArrivingPictures(() => nowMs)
  const letIn = () => {
    const one = { request: new EventEmitter(), response: new EventEmitter() }
    coming.note(one.request, one.response)
    return one
  }
  const [arrives, isRefused, breaksOff] = [letIn(), letIn(), letIn()]
  nowMs = 100
  const slow = letIn()
  t.equal(coming.count(), 4)

  arrives.request.emit('end')
  t.equal(coming.count(), 3)
  arrives.response.emit('close')
  t.equal(coming.count(), 3, 'and not twice')
  isRefused.response.emit('close')
  t.equal(coming.count(), 2)
  breaksOff.response.emit('close')
  t.equal(coming.count(), 1)
  nowMs = 349
  t.equal(coming.count(), 1)
  nowMs = 350
  t.equal(coming.count(), 0)
  slow.request.emit('end')
  letIn()
  t.equal(coming.count(), 1)
})
