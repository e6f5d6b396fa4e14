// Scopes of all guarded routes.

import t from 'tap'
import type { Scope } from '../../src/domain/organisations/access.js'
import { MARKER, refused } from '../helpers/refusal.js'
import { forged, guardedRoutes, otherScopes, post, prepared, silent, withTypo } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText } from '../helpers/service.js'

t.test('every guarded route needs its own scope, and all other scopes together do not suffice', async (t) => {
  const { service, ngo } = await prepared(t)
  const { app } = service
  const her = await openCase(app)
  const guarded = guardedRoutes(app)
  t.ok(guarded.length >= 10, `${guarded.length} guarded routes`)
  const scopes = ['case', 'cases:write', 'match', 'feedback', 'admin', 'signals:write', 'webhooks', 'feed', 'key']
  t.same(new Set(guarded.map(({ scope }) => scope)), new Set(scopes))

  for (const { method, url, scope, name } of guarded) {
    const ask = (authorization?: string) =>
      app.inject({ method, url, ...(authorization !== undefined && { headers: { authorization } }) })
    const missing = scope === 'case' ? 'token-missing' : 'key-missing'

    for (const authorization of [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      ...(url === '/v1/verdict' ? [] : [`Basic ${MARKER}`]), // takes the key as password
      MARKER,
      `Bearer ${MARKER} ${MARKER}`,
    ]) {
      const answer = await ask(authorization)
      refused(t, answer, missing, `${name}, ${authorization ?? 'nothing'}`)
      t.equal(answer.headers['www-authenticate'], 'Bearer')
    }
    if (scope === 'case') {
      for (const token of [MARKER, ngo.key]) refused(t, await ask(`Bearer ${token}`), 'case-unknown', `${name}, no token`)
      continue
    }
    for (const text of [MARKER, her.token, withTypo(ngo.key), forged(ngo.key), `${ngo.key}0`]) {
      const answer = await ask(`Bearer ${text}`)
      refused(t, answer, 'key-invalid', `${name}, an invalid key`)
      t.equal(answer.headers['www-authenticate'], 'Bearer error="invalid_token"')
    }
    if (scope === 'key') continue
    const allOthers = await keyFor(service, `all but ${scope}`, otherScopes(scope))
    refused(t, await ask(`Bearer ${allOthers.key}`), 'scope-missing', `${name}, the other scopes`)
  }
  silent(t, service)
})

t.test('exact distances need match:distance beside match', async (t) => {
  const { service, ngo } = await prepared(t)
  const hash = randomHashText()
  await post(service.app, '/v1/banks/mine/signals', { signals: [{ type: 'pdq', hash }] }, ngo.headers)
  const ask = async (scopes: Scope[]) => {
    const { headers } = await keyFor(service, 'asker', scopes)
    return await post(service.app, '/v1/match', { queries: [{ signals: [{ type: 'pdq', hash }] }] }, headers)
  }

  t.notOk((await ask(['match'])).body.includes('distanceBits'))
  t.match((await ask(['match', 'match:distance'])).json(), { results: [{ matches: [{ distanceBits: 0 }] }] })
  refused(t, await ask(['match:distance']), 'scope-missing')
})
