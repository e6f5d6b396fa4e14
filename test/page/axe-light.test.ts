import t from 'tap'
import { walkWithAxe } from '../helpers/axe.js'
import { startSite, withoutBrowser } from '../helpers/browser.js'

t.test('axe finds nothing on any page and state, light, 320 pixels wide', { skip: withoutBrowser }, async (t) => {
  const site = await startSite(t)
  for (const language of ['en', 'ta']) await walkWithAxe(t, site, language, { viewport: { width: 320, height: 640 } })
})
