import { readFileSync } from 'node:fs'
import t from 'tap'
import { answerFor } from '../../../workers/media/answer.js'
import { memoryRoomMb, ranOutOfMemory } from '../../../workers/media/out-of-memory.js'
import { scene } from '../../helpers/pictures.js'

t.test('what is left is told by the limit of the process and what it uses', async (t) => {
  const files = {
    '/proc/self/limits': `Limit                     Soft Limit           Hard Limit           Units
Max file size             0                    0                    bytes
Max data size             117440512            117440512            bytes
`,
    '/proc/self/status': 'VmPeak:\t 1230000 kB\nVmData:\t  107520 kB\n',
  }
  const read = (changed: Partial<typeof files>) => (file: string) =>
    new Map(Object.entries({ ...files, ...changed })).get(file) ?? ''
  t.equal(memoryRoomMb(read({})), 7)
  t.equal(memoryRoomMb(read({ '/proc/self/limits': 'Max data size unlimited unlimited bytes' })), Number.POSITIVE_INFINITY)
  t.equal(
    memoryRoomMb(() => ''),
    Number.POSITIVE_INFINITY,
    'systems that do not tell',
  )
  if (process.platform === 'linux') t.match(readFileSync('/proc/self/limits', 'latin1'), /^Max data size +(\d+|unlimited)/m)
})

t.test('a failure with no memory left is no damage, whatever the decoder says', async (t) => {
  const unknown = new Error('VipsJpeg: Insufficient backing store')
  t.equal(ranOutOfMemory(unknown, 8), true)
  t.equal(ranOutOfMemory(unknown, 1000), false)
  t.equal(ranOutOfMemory(new Error('pngload: cannot allocate'), 1000), true)
  t.equal(ranOutOfMemory(new RangeError('Array buffer allocation failed'), 1000), true)
  const deeper = (): number => 1 + deeper()
  try {
    deeper()
  } catch (error) {
    t.equal(ranOutOfMemory(error, 1000), false, 'a file that nests too deep would do so again')
  }

  const { bytes } = await scene(1)
  const damaged = bytes.subarray(0, bytes.length >> 1)
  const problem = async (roomMb: number) => answerFor(Buffer.from(damaged), 'register', 'none', () => roomMb)
  t.same(await problem(1000), { problem: 'image-undecodable' })
  t.same(await problem(8), { problem: 'hashing-unavailable' })
})

t.test('a failure with less memory left than the picture needs is no damage', async (t) => {
  const header = Buffer.alloc(33)
  header.write('89504e470d0a1a0a0000000d49484452', 'hex')
  header.writeUInt32BE(8000, 16)
  header.writeUInt32BE(6000, 20)
  header.set([8, 6, 0, 0, 1], 24) // interlaced: all of it is in memory
  const large = Buffer.concat([header, Buffer.alloc(200_000)])
  const problem = async (roomMb: number) => answerFor(Buffer.from(large), 'query', 'none', () => roomMb)
  t.same(await problem(1000), { problem: 'image-undecodable' })
  t.same(await problem(300), { problem: 'hashing-unavailable' }, 'it needs 384')
})
