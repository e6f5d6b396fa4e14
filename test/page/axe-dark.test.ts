import t from 'tap'
import { faultsOf, walkWithAxe } from '../helpers/axe.js'
import { usualSite, withoutBrowser } from '../helpers/browser.js'

t.test('axe finds no fault in dark mode with reduced motion, zoomed to 200 %', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const zoomed = { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 }
  const dark = { ...zoomed, colorScheme: 'dark', reducedMotion: 'reduce' } as const
  await walkWithAxe(t, site, { looked: 'ms', measured: 'zh-Hans' }, dark)
})

t.test('axe finds no fault with forced colours, and every button has a border', { skip: withoutBrowser }, async (t) => {
  const site = await usualSite()
  const { page } = await site.visit('/', { forcedColors: 'active' })
  t.same(await faultsOf(page), [])
  for (const selector of ['#adult', '#minor', '#leave']) {
    const width = await page.$eval(selector, (element) => getComputedStyle(element).borderTopWidth)
    t.not(width, '0px', selector)
  }
})
