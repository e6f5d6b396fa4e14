// Entry of the script: what every page does, then what this one does.

import { ownValue } from '../src/domain/own-value.js'
import { casePage } from './case-page.js'
import { watchLanguages } from './language.js'
import { watchLeaving } from './leaving.js'
import { startPage } from './start.js'

const starts: Readonly<Record<string, () => void>> = { start: startPage, case: casePage }
if (watchLeaving()) {
  watchLanguages()
  ownValue(starts, document.body.dataset['page'] ?? '')?.()
}
document.getElementById('unscripted')?.remove() // said where this script does not start, or fails while it starts
