// What people do at their case.

import { readFile } from 'node:fs/promises'
import { randomHashText } from '../helpers/service.js'
import { textOf } from '../helpers/steps.js'
import { ask, feedback, matchesOf, operator, platform } from '../helpers/trust.js'
import {
  addAtCase,
  allProtected,
  authorizeCase,
  choosingAtCase,
  type Journey,
  prepareCase,
  someFiles,
  stateOf,
  VIEW,
} from './journey.js'
import { type Fate, Finding } from './person.js'
import { press } from './window.js'
import { type OwnFile, ownFile } from './world.js'

const UNTICKED = '#statements label:not([hidden]) > [name="statement"]:not(:checked)'

export const VISITING: Readonly<Record<string, Journey>> = {
  'open a case': {
    withAssets: true,
    before: (her) => prepareCase(her, randomHashText()),
    async run(her) {
      await her.go('/case')
      await her.openCase()
      await her.compare()
    },
  },
  'follow a case': {
    before: authorizeCase,
    async run(her) {
      const { caseNumber } = her.secrets ?? { caseNumber: '' }
      const { token } = await stateOf(her)
      const payload = { images: [{ signals: [{ type: 'pdq', hash: randomHashText(), quality: 90 }] }] }
      const url = `/v1/cases/${caseNumber}/hashes`
      await press(her.page, '#withdraw') // looks at something else, and comes back
      await her.world.service.app.inject({ method: 'POST', url, payload, headers: { authorization: `Bearer ${token}` } })
      await press(her.page, '#withdraw-no')
      await her.reach('#time-line li:nth-child(3)', async () => {})
      await her.reach('#each li:nth-child(2)', async () => {})
      await her.compare()
    },
  },
  'add to a case': {
    async before(her, seed) {
      await authorizeCase(her)
      await choosingAtCase(her, allProtected(await someFiles(seed, 1, 1)), true)
    },
    run: (her) => addAtCase(her, her.fates),
  },
  'add a held image': {
    async before(her, seed) {
      const held = await ownFile(seed)
      await prepareCase(her, held.hash)
      const { images } = await stateOf(her)
      const { headers } = await operator(her.world.service)
      await ask(her.world.service, 'POST', `/v1/signals/${images[0]?.imageId}/quarantine`, headers)
      await her.go('/case')
      await her.openCase()
      await choosingAtCase(her, new Map<OwnFile, Fate>([[held, 'held']]))
    },
    run: (her) => addAtCase(her, her.fates),
  },
  'add with extended protection': {
    async before(her, seed) {
      await prepareCase(her, randomHashText(), { extendedProtection: true })
      await her.go('/case')
      await her.openCase()
      await choosingAtCase(her, allProtected(await someFiles(seed, 1, 0)))
    },
    run: (her) => addAtCase(her, her.fates),
  },
  'take everything back': {
    before: authorizeCase,
    async run(her) {
      const hash = her.hash
      await press(her.page, '#withdraw')
      await her.reach(
        '#withdrawn-row:not([hidden])',
        () => press(her.page, '#withdraw-yes'),
        async () => {
          const said = await textOf(her.page, '[role="status"]')
          if (said.startsWith('Everything is taken back') && (await her.world.finds(hash)))
            throw new Finding(`"${said}" is said, and the image matches`)
        },
      )
      if (await her.world.finds(hash)) throw new Finding('the image still matches')
      await her.compare()
    },
  },
  'change the PIN': {
    before: authorizeCase,
    async run(her) {
      await press(her.page, '#new-pin')
      await her.reach('#pin-shown:not([hidden])', () => press(her.page, '#pin-yes'))
      const pin = await textOf(her.page, '#pin-value')
      her.secrets = { caseNumber: her.secrets?.caseNumber ?? '', pin }
      await her.reach(VIEW, () => press(her.page, '#pin-done'))
      await her.compare()
    },
  },
  'change the PIN, and leave it when something goes wrong': {
    before: authorizeCase,
    async run(her) {
      await press(her.page, '#new-pin')
      await press(her.page, '#pin-yes')
      const done = '#pin-shown:not([hidden]), #pin-error:not(:empty), [data-step="enter"]:not([hidden])'
      await her.reach(done, async () => {})
      const pin = await textOf(her.page, '#pin-value')
      if (pin !== '') her.secrets = { caseNumber: her.secrets?.caseNumber ?? '', pin }
      await press(her.page, pin === '' ? '#pin-no' : '#pin-done')
      await her.compare()
    },
  },
  'make the time longer': {
    before: authorizeCase,
    async run(her) {
      await her.reach('#renewed:not(:empty)', () => press(her.page, '#renew-go'))
      const { events } = await stateOf(her)
      const renewals = events.filter(({ kind }) => kind === 'renewed').length
      if (renewals === 0) throw new Finding('the case was not renewed')
      await her.compare()
    },
  },
  'give notice': {
    before: authorizeCase,
    async run(her) {
      await press(her.page, '#notice-open')
      await press(her.page, '[name="law"][value="eu-dsa"]')
      while ((await her.page.locator(UNTICKED).count()) > 0) await press(her.page, UNTICKED)
      await her.reach(`${VIEW} #notice-given:not(:empty)`, () => press(her.page, '#notice-go'))
      const { token } = await stateOf(her)
      const url = `/v1/cases/${her.secrets?.caseNumber}/notice`
      const kept = await her.world.service.app.inject({ url, headers: { authorization: `Bearer ${token}` } })
      if (kept.json<{ notice: unknown }>().notice === null) throw new Finding('no notice was given')
    },
  },
  'answer a dispute': {
    async before(her) {
      const hash = randomHashText()
      await prepareCase(her, hash)
      const { service } = her.world
      const one = await platform(service, 'doubter')
      if ((await matchesOf(service, one.headers, hash)).length === 0) throw new Error('it matches')
      await feedback(service, one, hash, { verdict: 'disputed', reason: 'other' })
      await her.go('/case')
      await her.openCase()
    },
    async run(her) {
      await her.reach('#each .answers .hint', () => press(her.page, '#each .answers button'))
      const { images } = await stateOf(her)
      if (images[0]?.answer === null) throw new Finding('the answer was not noted')
    },
  },
  'save a report': {
    before: authorizeCase,
    async run(her) {
      let text = ''
      her.page.once('download', async (saved) => {
        text = await readFile(await saved.path(), 'utf8')
      })
      const isSaved = async () => {
        if (text === '' || (await textOf(her.page, '[role="status"]')) !== 'Saved as a file.') return
        await her.page.evaluate(() => document.body.setAttribute('data-saved', ''))
      }
      await her.reach('body[data-saved]', () => press(her.page, '[data-report="json"]'), isSaved)
      if (!text.includes(her.secrets?.caseNumber ?? '-')) throw new Finding('what is saved as a report is none')
    },
  },
}
