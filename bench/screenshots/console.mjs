// Every panel of the console over a small world, light and dark, in the sizes of a phone and a desktop. Called by bench/screenshots.mjs.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { createApiKey } from '../../dist/src/services/keys/access.js'
import { createApiKeyStore } from '../../dist/src/store/organisations/api-keys.js'

/** @param name a file for a state, given its colour scheme and device. */
export async function shootConsole({ browser, url, service, sizes, name }) {
  const keyOf = async (org, kind, scopes) => {
    const made = await createApiKey(createApiKeyStore(service.store), {
      ...{ org, kind, env: 'demo', nowMs: Date.now() },
      scopes: new Set(scopes),
    })
    return made.key
  }
  const operator = await keyOf('operator', 'operator', ['admin', 'signals:write', 'match', 'cases:write', 'webhooks'])
  const platform = await keyOf('a-platform', 'platform', ['match', 'feedback'])
  const ngo = await keyOf('an-ngo', 'ngo', ['cases:write', 'feedback', 'signals:write'])
  await fillWorld(url, operator, platform, ngo)
  for (const colorScheme of ['light', 'dark']) {
    for (const [device, viewport] of Object.entries(sizes)) {
      const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce' })
      const page = await context.newPage()
      const shoot = (state) => page.screenshot({ path: name(`console-${state}`, colorScheme, device), fullPage: true })
      await page.goto(`${url}/console`)
      await page.fill('#key', 'tbr_demo_typo')
      await page.keyboard.press('Enter')
      await page.waitForSelector('#key-error:not(:empty)')
      await shoot('sign-in')
      await signIn(page, operator)
      for (const panel of await page.locator('nav li button').allTextContents()) {
        await page.getByRole('button', { name: panel, exact: true }).click()
        await page.waitForFunction(() => !document.body.textContent.includes('Loading'))
        const first = page.locator('.actions button').first()
        if ((await first.count()) > 0) await first.click()
        await page.waitForFunction(() => !document.body.textContent.includes('Loading')) // what the click asked for
        await shoot(panel.toLowerCase().replaceAll(' ', '-'))
        if (panel === 'Import') {
          await page.setInputFiles('input[type="file"]', hashesFile())
          await page.getByRole('button', { name: 'Import it' }).click()
          await page.getByText('Done', { exact: true }).waitFor()
          await page.getByRole('row', { name: 'done' }).first().waitFor()
          await shoot('imported')
        }
        if (panel === 'Add pictures and videos') {
          const notes = { name: 'notes.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('a shopping list') }
          await page.setInputFiles('input[type="file"]', [...PICTURES, notes].map(fileOf))
          await page.getByRole('button', { name: 'Hash and add' }).click()
          await page.getByText('Done: 2 of 3 added, 1 not').waitFor()
          await shoot('added')
        }
      }
      await page.getByRole('button', { name: 'Sign out' }).click()
      await signIn(page, ngo)
      await page.getByRole('button', { name: 'To attest', exact: true }).click()
      await page.locator('.actions button').first().click()
      await shoot('to-attest')
      await context.close()
    }
  }
}

/** On a busy machine the service may ask to come again. */
async function signIn(page, key) {
  for (;;) {
    await page.fill('#key', key)
    await page.locator('button:enabled', { hasText: 'Sign in' }).click()
    await page.locator('nav, form button:enabled').first().waitFor()
    if ((await page.locator('nav').count()) > 0) return
    console.error(await page.locator('#key-error').textContent())
    await new Promise((resolve) => setTimeout(resolve, 2000))
  }
}

const PICTURES = ['demo/pictures/hat.jpg', 'demo/pictures/cat.jpg']

function fileOf(file) {
  return typeof file === 'string' ? { name: basename(file), mimeType: 'image/jpeg', buffer: readFileSync(file) } : file
}

/** With lines that are refused. */
function hashesFile() {
  const lines = Array.from({ length: 50 }, (_, k) => (k % 20 === 7 ? 'no hash' : randomBytes(32).toString('hex')))
  return { name: 'hashes.txt', mimeType: 'text/plain', buffer: Buffer.from(lines.join('\n')) }
}

const REASONS = ['harmless-content', 'not-the-person-shown', 'other']

async function fillWorld(url, operator, platform, ngo) {
  const ask = async (key, method, path, body) => {
    const headers = {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
    }
    const response = await fetch(`${url}${path}`, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${text}`)
    return text === '' ? undefined : JSON.parse(text)
  }
  const hash = () => randomBytes(32).toString('hex')
  const { notice: privacy } = await ask(undefined, 'GET', '/v1/privacy')
  const her = await ask(undefined, 'POST', '/v1/cases', { adult: true, consentVersion: privacy.version })
  const hashes = Array.from({ length: 12 }, hash)
  const kinds = ['nude', 'underwear-or-swimwear', 'culturally-intimate', 'synthetic', undefined]
  const images = hashes.map((each, k) => {
    const category = kinds[k % kinds.length]
    return { signals: [{ type: 'pdq', hash: each, quality: 90 }], ...(category !== undefined && { category }) }
  })
  await ask(her.token, 'POST', `/v1/cases/${her.caseNumber}/hashes`, { images })
  const consent = { kind: 'in-person', on: '2026-01-31' }
  const assisted = await ask(ngo, 'POST', '/v1/assisted-cases', { adult: true, consent })
  await ask(ngo, 'POST', `/v1/cases/${assisted.caseNumber}/hashes`, {
    images: [{ signals: [{ type: 'pdq', hash: hash(), quality: 90 }] }],
  })
  const notice = { laws: ['my-onsa'], statements: ['goodFaith', 'accurate'], actingAs: 'self', contact: 'an-ngo' }
  await ask(her.token, 'PUT', `/v1/cases/${her.caseNumber}/notice`, notice)
  await ask(operator, 'POST', '/v1/banks', { name: 'a-hotline', thresholdBits: { pdq: 25 } })
  const signals = Array.from({ length: 30 }, () => ({ type: 'pdq', hash: hash(), category: 'sexual-act' }))
  await ask(operator, 'POST', '/v1/banks/a-hotline/signals', { signals })
  await ask(operator, 'POST', '/v1/webhooks', { url: 'https://hooks.example/tabir', events: ['case.updated'] })
  const queries = hashes.map((each) => ({ signals: [{ type: 'pdq', hash: each }] }))
  const { results } = await ask(platform, 'POST', '/v1/match', { queries })
  for (const [k, { matches }] of results.entries()) {
    const said = k < 3 ? { verdict: 'disputed', reason: REASONS[k] } : { verdict: k < 9 ? 'blocked' : 'not-blocked' }
    await ask(platform, 'POST', `/v1/matches/${matches[0].matchId}/feedback`, said)
  }
  const { signals: disputed } = await ask(operator, 'GET', '/v1/disputes')
  await ask(operator, 'POST', `/v1/signals/${disputed[0].signalId}/quarantine`)
  await new Promise((resolve) => setTimeout(resolve, 6000)) // counts by day are handed on every five seconds
}
