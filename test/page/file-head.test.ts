// A CMYK JPEG is read without its profile and at full size, as the service reads it.

import sharp from 'sharp'
import t from 'tap'
import { isCmykDecodedWhole, withoutCmykProfile } from '../../page/hashing/file-head.js'
import { cmykJpeg, scene } from '../helpers/pictures.js'

const chosen = (bytes: Buffer, headBytes = bytes.length) => ({
  file: new Blob([new Uint8Array(bytes)]),
  head: new Uint8Array(bytes.subarray(0, headBytes)),
  format: 'jpeg' as const,
})

t.test('only the CMYK profile is removed from a JPEG', async (t) => {
  const { bytes } = await cmykJpeg(1)
  for (const headBytes of [bytes.length, 1000]) {
    const { file, head } = await withoutCmykProfile(chosen(bytes, headBytes))
    const plain = Buffer.from(await file.arrayBuffer())
    t.equal((await sharp(plain).metadata()).icc, undefined)
    t.ok(Buffer.from(head).equals(plain))
    const inks = (each: Buffer) => sharp(each).pipelineColourspace('cmyk').toColourspace('cmyk').raw().toBuffer()
    t.ok((await inks(plain)).equals(await inks(bytes)))
  }
  const cut = chosen(bytes.subarray(0, 2000))
  t.ok((await withoutCmykProfile(cut)).file.size < 2000, 'a file that ends within the profile')
})

t.test('any other file is unchanged', async (t) => {
  const coloured = await sharp((await scene(1)).bytes)
    .withIccProfile('p3')
    .jpeg()
    .toBuffer()
  for (const bytes of [coloured, (await scene(1, { format: 'jpeg' })).bytes, Buffer.from([0xff, 0xd8, 0xff])]) {
    const given = chosen(bytes)
    t.equal(await withoutCmykProfile(given), given)
    t.notOk(isCmykDecodedWhole(given.head, { width: 10, height: 10 }))
  }
})

t.test('a JPEG is decoded at full size only if the service does so', async (t) => {
  const { head } = chosen((await cmykJpeg(1)).bytes)
  t.ok(isCmykDecodedWhole(head, { width: 4000, height: 4000 }))
  t.notOk(isCmykDecodedWhole(head, { width: 4001, height: 4000 }))
})
