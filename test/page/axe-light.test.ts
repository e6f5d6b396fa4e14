import t from 'tap'
import { walkWithAxe } from '../helpers/axe.js'
import { usualSite, withoutBrowser } from '../helpers/browser.js'

t.test(
  'axe finds no fault on any page in any state, in light mode at 320 pixels wide',
  { skip: withoutBrowser },
  async (t) => {
    const site = await usualSite()
    await walkWithAxe(t, site, { looked: 'en', measured: 'ta' }, { viewport: { width: 320, height: 640 } })
  },
)
