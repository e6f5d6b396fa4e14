// Files that are no picture, or that this browser cannot open in full: each is named, and sending is offered only where it
// helps.

import type { Page } from 'playwright-core'
import sharp from 'sharp'
import t from 'tap'
import { pictureFile, usualSite, withoutBrowser } from '../helpers/browser.js'
import { scenePixels } from '../helpers/pictures.js'
import { allRead, choose, type GivenFile, textOf, toChoosing } from '../helpers/steps.js'

const skip = withoutBrowser
const SIZE = { width: 480, height: 360 }
const RAW = { ...SIZE, channels: 3 } as const

const fileOf = (name: string, mimeType: string, buffer: Buffer): GivenFile => ({ name, mimeType, buffer })
const statesOf = (page: Page) =>
  page.$$eval('#pictures .state', (states) => states.map(({ textContent }) => textContent ?? ''))

t.test('a file that is no picture is named with an alternative, and not offered for sending', { skip }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/')
  await toChoosing(page)
  const kinds: readonly (readonly [string, RegExp])[] = [
    ['0000001c667479706d703432000000006d70343269736f6d', /This video is damaged.*take a screenshot/],
    ['00000014667479707174202000000000', /This video is damaged/],
    ['524946460000000041564920', /This is a video of a kind.*take a screenshot/],
    ['474011100042f0250001c10000ff01ff', /This is a video of a kind/],
    ['0000000047401110 0042f0250001c100'.replace(' ', ''), /This is a video of a kind/],
    ['0000000c6a5020200d0a870a00000014', /Pictures of this kind cannot be read here.*take a screenshot/],
    ['00000100010010100000010020006804', /Pictures of this kind cannot be read here.*take a screenshot/],
    ['', /This file is empty/],
    ['1f8b0800000000000003abe6e5020000', /animated sticker/],
    ['255044462d312e370a25b5b5b5b50a', /This is a document/],
    [
      '6120 73686f7070696e67206c697374'.replace(' ', ''),
      /This file is not a picture or video that can be read here.*take a screenshot/,
    ],
  ]
  await choose(
    page,
    kinds.map(([hex], k) => fileOf(`${k}.jpg`, 'image/jpeg', Buffer.from(hex, 'hex'))),
  )
  await allRead(page)
  t.match(
    await statesOf(page),
    kinds.map(([, sentence]) => sentence),
  )
  t.notOk(await page.isVisible('#upload'))
})

t.test('the page says that the clip in a motion photo is not protected', { skip }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/')
  await toChoosing(page)
  const { buffer } = await pictureFile(18)
  const clip = Buffer.from('0000001c667479706d703432000000006d70343269736f6d000000086d646174', 'hex')
  await choose(page, [
    fileOf('still.jpg', 'image/jpeg', (await pictureFile(19)).buffer),
    fileOf('motion.jpg', 'image/jpeg', Buffer.concat([buffer, clip])),
  ])
  await allRead(page)
  t.match(await statesOf(page), [/^Ready$/, /^Ready.*\. The short clip inside is left out: save it as a video/])
})

t.test('a browser without all frames or without memory for a large JPEG offers to send it', { skip }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/')
  await page.route('**/assets/worker-*', async (route) => {
    const response = await route.fetch()
    await route.fulfill({ response, body: `delete globalThis.ImageDecoder;${await response.text()}` })
  })
  await toChoosing(page)
  const raw = { ...RAW, height: 2 * SIZE.height, pageHeight: SIZE.height }
  const gif = await sharp(Buffer.concat([16, 17].map((seed) => scenePixels(seed, SIZE).data)), { raw })
    .gif()
    .toBuffer()
  // The size is read from the header: nothing is decoded here.
  const { buffer: large } = await pictureFile(18)
  const at = large.indexOf(Buffer.from('ffc0', 'hex'))
  large.writeUInt16BE(9000, at + 5)
  large.writeUInt16BE(6000, at + 7)
  const cut = large.subarray(0, -100)
  await choose(page, [
    fileOf('a.mp4', 'video/mp4', gif), // whatever its name
    fileOf('b.jpg', 'image/jpeg', large),
    fileOf('c.jpg', 'image/jpeg', cut),
  ])
  await allRead(page)
  t.match(await statesOf(page), [
    /This picture moves/,
    /has not enough memory for a picture as large/,
    /damaged or incomplete/,
  ])
  t.ok(await page.isVisible('#upload'))
  t.equal(await page.locator('#pictures li:nth-child(2) button:not([hidden])').first().textContent(), 'Try again')
  await page.click('#upload-yes')
  t.match(await textOf(page, '#pictures'), /Will be sent to the server/)
  t.equal(await textOf(page, '#choose-go'), 'Continue with 2 pictures')
})
