// Entry of the script: what every page does, then what this one does.

import { ownValue } from '../packages/core/src/own-value.js'
import type { Access } from './api.js'
import { casePage } from './case-page.js'
import { takeHandedOn } from './following/handing-on.js'
import { watchLanguages } from './language.js'
import { watchLeaving } from './leaving.js'
import { startPage } from './start.js'

const starts: Readonly<Record<string, (handedOn: Access | undefined) => void>> = { start: startPage, case: casePage }
if (lacksSlash()) location.replace(`${location.pathname}/${location.search}`)
else if (watchLeaving()) {
  watchLanguages()
  const handedOn = takeHandedOn() // also where nobody wants it: she did not get to the page of the case
  ownValue(starts, document.body.dataset['page'] ?? '')?.(handedOn)
}
document.getElementById('unscripted')?.remove() // said where this script does not start, or fails while it starts

/**
 * A proxy that serves this below a path may leave out the path's last slash. Then all addresses, which are relative, lead to another site. A proxy that
 * removes the slash again is not asked twice.
 */
function lacksSlash(): boolean {
  const [navigation] = performance.getEntriesByType('navigation')
  const isRedirected = navigation instanceof PerformanceNavigationTiming && navigation.redirectCount > 0
  return document.body.dataset['page'] === 'start' && !location.pathname.endsWith('/') && !isRedirected
}
