// A backup or a saved chat in a ZIP file: opened on the device, read file by file, and not sent.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Page } from 'playwright-core'
import t from 'tap'
import { imagesOf, pictureFile, usualSite, withoutBrowser } from '../helpers/browser.js'
import { allRead, type GivenFile, protectAll, textOf, toChoosing } from '../helpers/steps.js'
import { type ZippedFile, zipOf } from '../helpers/zip-files.js'

const skip = withoutBrowser
const HEIC = resolve(import.meta.dirname, '../../../test/data/heic/turned.heic')
/** In names and texts. */
const MARK = 'Xq7vWm2kTz9pLd4b'

const zipFile = (name: string, buffer: Buffer): GivenFile => ({ name, mimeType: 'application/zip', buffer })
const linesOf = (page: Page) =>
  page.$$eval('#pictures li', (lines) =>
    lines.map((line) => [line.querySelector('.name')?.textContent, line.querySelector('.state')?.textContent]),
  )

t.test('pictures in a ZIP file are protected like those that are chosen by themselves', { skip }, async (t) => {
  const site = await usualSite()
  const { page, faults } = await site.visit('/')
  const bodies: Buffer[] = []
  page.on('request', (request) => bodies.push(Buffer.from(request.url()), request.postDataBuffer() ?? Buffer.alloc(0)))
  await page.route('**/images', (route) =>
    route.fulfill({ status: 201, json: { images: [{ state: 'registered', quality: 100 }] } }),
  )
  const [jpeg, png, tiff] = await Promise.all([
    pictureFile(461, { format: 'jpeg' }),
    pictureFile(462, { format: 'png' }),
    pictureFile(463, { format: 'tiff' }),
  ])
  const files: ZippedFile[] = [
    { path: `${MARK}/${MARK}-one.jpg`, content: jpeg.buffer },
    { path: 'two.png', content: png.buffer, isStored: true, hasDescriptor: true },
    { path: 'three.heic', content: readFileSync(HEIC) },
    { path: 'four.tif', content: tiff.buffer },
    { path: 'five.mp4', content: Buffer.from('00000014667479707174202000000000', 'hex') },
    { path: 'six.jpg', content: Buffer.from('no picture') },
    { path: 'seven.jpg', content: jpeg.buffer, declaredSize: jpeg.buffer.length - 1 },
    { path: 'locked.jpg', content: jpeg.buffer, isLocked: true },
    { path: 'chat.txt', content: Buffer.from(MARK) },
    { path: '__MACOSX/._one.jpg', content: Buffer.from(MARK) },
    { path: 'within.zip', content: zipOf([{ path: 'inner.jpg', content: jpeg.buffer }]) },
  ]
  await toChoosing(page)
  await page.setInputFiles('#zips', [zipFile(`${MARK}.zip`, zipOf(files))])
  await page.waitForFunction(() => document.querySelectorAll('#pictures li').length > 1)
  await allRead(page)
  t.match(await linesOf(page), [
    [`${MARK}-one.jpg`, /^Ready/],
    ['two.png', /^Ready/],
    ['three.heic', /^Ready/],
    ['four.tif', /cannot open it/],
    ['five.mp4', /This video is damaged/],
    ['six.jpg', /not a picture or video/],
    ['seven.jpg', /This picture is damaged/],
  ])
  t.match(
    await textOf(page, '#choosing-notes'),
    /^Taken from the ZIP file: 6 pictures and 1 video\. Remove .* 1 file in it is locked .* 3 other files in it were left out/,
  )
  await page.click('#upload-yes')
  const opened = await protectAll(page)
  t.notOk(await page.isVisible('#choosing-notes'), 'it does not stand above number and PIN')
  t.equal(await imagesOf(site, opened), 3)
  const sent = Buffer.concat(bodies)
  for (const { buffer } of [jpeg, png])
    t.ok(sent.includes(createHash('sha256').update(buffer).digest('hex')), 'the hash of the file as it was packed')
  t.ok(sent.includes(tiff.buffer), 'agreed to, and sent unpacked')
  for (const unsent of [jpeg.buffer.subarray(-100), png.buffer.subarray(-100), Buffer.from('PK\x01\x02')])
    t.notOk(sent.includes(unsent))
  t.notOk(sent.includes(MARK), 'no name')
  t.same(faults, [])
})

t.test('a ZIP file without pictures, and one that cannot be unpacked, say so', { skip }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/')
  const { buffer } = await pictureFile(461)
  const locked = zipOf([{ path: 'a.jpg', content: buffer, isLocked: true }])
  const document = zipOf([{ path: 'word/document.xml', content: Buffer.from('words') }])
  await toChoosing(page)
  await page.setInputFiles('#files', [
    zipFile('letter.docx', document),
    zipFile('locked.zip', locked),
    zipFile('cut.zip', locked.subarray(0, 400)),
  ])
  await allRead(page)
  t.match(await linesOf(page), [
    ['letter.docx', /has no picture or video in it/],
    ['locked.zip', /locked with a password/],
    ['cut.zip', /damaged, incomplete/],
  ])
})
