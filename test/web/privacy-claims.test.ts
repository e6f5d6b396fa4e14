// What docs/privacy.md and the page's /privacy promise, compared with what the code does.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import t from 'tap'
import { CASE_FORGOTTEN_AFTER_MS, PAUSE_MS, WISH_DELAY_MS } from '../../src/domain/cases/case.js'
import { LONGEST_WATCH_DAYS } from '../../src/domain/organisations/watch.js'
import { BLOCKED_FOR_MS } from '../../src/domain/trust/strikes.js'
import { WITHDRAWN_KEPT_MS } from '../../src/store/scripts/images/fetched.js'
import { startService } from '../helpers/service.js'

const root = resolve(import.meta.dirname, '../../..')
const privacy = readFileSync(resolve(root, 'docs/privacy.md'), 'utf8')
const DAY_MS = 86_400_000
const SEVEN = { en: 'seven days', ms: 'tujuh hari', 'zh-Hans': '七天', ta: 'ஏழு நாட்களில்' } as const
const CODE = { en: 'recovery code', ms: 'kod pemulihan', 'zh-Hans': '恢复码', ta: 'மீட்புக் குறியீட்டை' } as const

t.test('the periods of docs/privacy.md are those of the code', (t) => {
  for (const [what, days] of [
    ['an ended case, without hashes', CASE_FORGOTTEN_AFTER_MS / DAY_MS],
    ['withdrawn hashes for fetchers, sealed', WITHDRAWN_KEPT_MS / DAY_MS],
    ['digests of pictures judged harmless', BLOCKED_FOR_MS / DAY_MS],
    ['hashes of organisations: watched; in banks', LONGEST_WATCH_DAYS],
  ] as const)
    t.ok(privacy.includes(`| ${what} | ${days} days`), what)
  t.equal(PAUSE_MS, 7 * DAY_MS)
  t.match(privacy, /pause recognition, seven days at a time/)
  t.equal(WISH_DELAY_MS, 7 * DAY_MS)
  t.match(privacy, /take everything back \(by PIN in seven days\)/)
  t.end()
})

t.test('the page says which right needs the recovery code, and that times are kept', async (t) => {
  for (const language of ['en', 'ms', 'zh-Hans', 'ta'] as const) {
    const file = readFileSync(resolve(root, `page/messages/${language}.json`), 'utf8')
    const [, may = ''] = /"privacy\.may": "([^"]+)"/.exec(file) ?? []
    t.ok(may.includes('PIN') && may.includes(SEVEN[language]) && may.includes(CODE[language]), `${language}: ${may}`)
  }
  const { app } = await startService(t)
  const { body } = await app.inject({ url: '/privacy', headers: { 'accept-language': 'en' } })
  t.match(body, /in seven days; with the recovery code at once/)
  t.match(body, /as counts and times/)

  const { caseNumber, token, pin } = await app
    .inject({ method: 'POST', url: '/v1/cases', payload: { adult: true } })
    .then((a) => a.json())
  const url = `/v1/cases/${caseNumber}`
  const asked = { authorization: `Bearer ${token}` }
  const { events } = await app.inject({ url: `${url}/export`, headers: asked }).then((a) => a.json())
  t.notMatch(events[0].at, /T00:00:00/, 'a time, and not a day alone')
  const byPin = await app.inject({ method: 'POST', url: `${url}/tokens`, payload: { pin } }).then((a) => a.json())
  const held = (by: string) => app.inject({ url: `${url}/hashes`, headers: { authorization: `Bearer ${by}` } })
  t.equal((await held(byPin.token)).statusCode, 403, 'the hashes need the code')
  t.equal((await held(token)).statusCode, 200)
  const ending = await app.inject({ method: 'DELETE', url, headers: { authorization: `Bearer ${byPin.token}` } })
  t.equal(ending.statusCode, 202, 'by PIN it is a wish')
})
