// The signed report for police and regulators: what it contains and what it does not.

import { inflateSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { CATEGORY_NAMES, TIER_NAMES } from '../../packages/core/src/matching/signal.js'
import { CASE_STATES } from '../../src/domain/cases/case.js'
import { CASE_EVENT_KINDS, PLATFORM_BUCKETS } from '../../src/domain/cases/case-event.js'
import { LANGUAGE_TAGS } from '../../src/domain/languages.js'
import { RECOGNITIONS } from '../../src/domain/trust/recognition.js'
import { Report } from '../../src/services/cases/report.js'
import { drawReport } from '../../src/services/cases/report-drawing.js'
import { reportWords } from '../../src/services/cases/report-words.js'
import { createSigner, isSignedBy, publicKeyFrom } from '../../src/services/records/signer.js'
import { messagesOf } from '../helpers/languages.js'
import { MARKER, refused } from '../helpers/refusal.js'
import { del, post } from '../helpers/requests.js'
import { openCase, randomHashText, startService } from '../helpers/service.js'

async function filledCase(t: Test) {
  const { app } = await startService(t)
  const her = await openCase(app)
  const hashes = [randomHashText(), randomHashText()]
  const images = hashes.map((hash) => ({ signals: [{ type: 'pdq', hash, quality: 80 }], category: 'nude' }))
  const added = await post(app, `${her.url}/hashes`, { images }, her.headers)
  const ids = [...added.body.matchAll(/"imageId":"([^"]+)"/g)].map(([, id]) => id ?? '')
  const report = (query = '') => app.inject({ url: `${her.url}/report${query}`, headers: her.headers })
  const key = publicKeyFrom((await app.inject('/v1/receipts/key')).body)
  return { app, her, hashes, ids, report, key }
}

const VIDEO = {
  durationMs: 83_100,
  frames: [{ atMs: 0, signals: [{ type: 'pdq', hash: randomHashText(), quality: 80 }] }],
}

t.test('the report has counts and dates, is signed, and contains no hash, id or PIN', async (t) => {
  const { app, her, hashes, ids, report, key } = await filledCase(t)
  const json = await report()
  t.equal(json.statusCode, 200, json.body)
  const said = Report.parse(json.json())
  t.ok(isSignedBy(key, said))
  t.match(said, {
    caseNumber: her.caseNumber,
    state: 'active',
    endedAt: null,
    complaintNoted: false,
    hashes: 2,
    images: ids.map(() => ({ reference: /^IMG-[0-9A-F]{8}$/, category: 'nude', tier: 'self-reported' })),
    events: [{ kind: 'opened' }, { kind: 'registered', images: 2, platforms: null }],
    receipt: null,
  })
  t.equal(new Set(said.images.map(({ reference }) => reference)).size, 2, 'images of one case have different references')
  for (const secret of [...hashes, ...ids, her.pin]) t.notOk(json.body.includes(`${secret}"`))
  t.notOk(isSignedBy(key, { ...said, hashes: 3 }))

  const receipt = (await del(app, her.url, her.headers)).json()
  const after = Report.parse((await report()).json())
  t.match(after, { state: 'withdrawn', images: [], receipt, endedAt: receipt.endedAt })
  t.ok(isSignedBy(key, after))
})

t.test('the report is a PDF in each language with embedded fonts and the signed document attached', async (t) => {
  const { app, her, hashes, ids, report, key } = await filledCase(t)
  await post(app, `${her.url}/hashes`, { videos: [VIDEO] }, her.headers)
  for (const lang of LANGUAGE_TAGS) {
    const pdf = await report(`?format=pdf&lang=${lang}`)
    t.equal(pdf.statusCode, 200, pdf.statusCode === 200 ? lang : pdf.body)
    t.match(pdf.headers, { 'content-type': 'application/pdf', 'cache-control': 'no-store' })
    t.equal(pdf.rawPayload.subarray(0, 5).toString(), '%PDF-')
    const streams = streamsOf(pdf.rawPayload)
    const attached = streams.find((text) => text.includes('"tabir-report"')) ?? '{}'
    t.ok(isSignedBy(key, Report.parse(JSON.parse(attached))), 'the attached document is signed')
    const whole = pdf.rawPayload.toString('latin1') + streams.join()
    t.match(whole, /FontFile[23]/, 'fonts are embedded')
    t.notMatch(whole, /\/BaseFont \/Helvetica/, 'no other font is used')
    for (const secret of [...hashes, ...ids]) t.notOk(whole.includes(secret))
    t.ok(whole.includes(her.caseNumber))
  }
})

t.test('a video has its duration in the report and in the export of the case', async (t) => {
  const { app, her, report } = await filledCase(t)
  await post(app, `${her.url}/hashes`, { videos: [VIDEO] }, her.headers)
  const { images, events } = Report.parse((await report()).json())
  t.same(
    images.map(({ durationS }) => durationS),
    [undefined, undefined, 84],
  )
  t.match(events.at(-1), { kind: 'registered', images: 1 })
  const exported = await app.inject({ url: `${her.url}/export`, headers: her.headers })
  const shown = exported.json<{ images: { durationS?: number }[] }>().images
  t.same(
    shown.map((image) => ('durationS' in image ? image.durationS : undefined)),
    [undefined, undefined, 84],
  )
})

t.test('a long report has several pages, and every letter of it a form in every language', async (t) => {
  const at = '2026-01-31T12:00:00.000Z'
  const withLines = (lines: number) =>
    createSigner(Buffer.alloc(32, 5)).sign({
      type: 'tabir-report' as const,
      version: 1 as const,
      madeAt: at,
      caseNumber: 'TBR-0000-0000-0000',
      state: 'active' as const,
      openedAt: at,
      expiresAt: at,
      endedAt: null,
      consentOn: '2026-01-01',
      complaintNoted: true,
      hashes: 900,
      images: CATEGORY_NAMES.flatMap((category) =>
        TIER_NAMES.flatMap((tier) =>
          Array.from({ length: lines }, (_, i) => {
            const recognition = RECOGNITIONS[i] ?? 'full'
            return { reference: 'IMG-01234567', registeredAt: at, category, tier, recognition }
          }),
        ),
      ),
      events: CASE_EVENT_KINDS.map((kind, i) => {
        const platforms = PLATFORM_BUCKETS[i % PLATFORM_BUCKETS.length] ?? 'more'
        return { at, kind, images: null, platforms, attempts: null }
      }),
      receipt: null,
    })
  const pages = (pdf: Buffer) => pdf.toString('latin1').match(/\/Type \/Page\b/g)?.length ?? 0
  const long = pages(await drawReport(withLines(RECOGNITIONS.length), 'en'))
  t.ok(long >= 6 && long <= 30, `${long} pages`)
  const each = withLines(1)
  const [first] = each.images
  const images = RECOGNITIONS.flatMap((recognition) => (first === undefined ? [] : [{ ...first, recognition }]))
  for (const language of LANGUAGE_TAGS) {
    // Refuses a letter that the font lacks.
    t.ok(pages(await drawReport({ ...each, images: [...each.images, ...images] }, language)) > 0, language)
  }
})

t.test('a report in an unknown format or language, or for another caller, is refused', async (t) => {
  const { app, her, report } = await filledCase(t)
  for (const query of [`?format=${MARKER}`, '?lang=xx', '?format=pdf&lang=', '?format=pdf&x=1', '?format=pdf&format=json'])
    refused(t, await report(query), 'request-invalid', query)
  const other = await openCase(app)
  refused(t, await app.inject({ url: `${her.url}/report`, headers: other.headers }), 'case-unknown')
  refused(t, await app.inject({ url: `${her.url}/report` }), 'token-missing')
})

t.test('every language has all texts of the report, and no other', async (t) => {
  const names = [
    ...CASE_STATES.map((state) => `state.${state}`),
    ...CATEGORY_NAMES.map((category) => `category.${category}`),
    ...TIER_NAMES.map((tier) => `tier.${tier}`),
    ...RECOGNITIONS.filter((each) => each !== 'full').map((each) => `recognition.${each}`),
    ...CASE_EVENT_KINDS.map((kind) => `event.${kind}`),
  ]
  const listed = Object.keys(messagesOf('en')).filter((key) =>
    /^report\.(state|category|tier|recognition|event)\./.test(key),
  )
  t.same(listed.toSorted(), names.map((name) => `report.${name}`).toSorted())
})

t.test('the report uses plurals correctly and speaks of the person shown', async (t) => {
  const { count, say } = reportWords('en', messagesOf('en'))
  t.same(
    [0, 1, 2].map((n) => count('images', n)),
    ['0 images', '1 image', '2 images'],
  )
  t.same(
    PLATFORM_BUCKETS.map((bucket) => count('platforms', bucket)),
    ['0 platforms', '1-2 platforms', '3-5 platforms', '6-10 platforms', 'more than 10 platforms'],
  )
  t.notMatch(JSON.stringify(messagesOf('en')), /\b(?:herself|himself|submitter)\b|\(s\)/)
  t.match(say('tierText'), 'Nobody checked who that is')
  t.throws(() => say('nothing'), /lacks nothing/)
})

/** The contents of the compressed streams of a PDF. */
function streamsOf(pdf: Buffer): string[] {
  const found: string[] = []
  for (let at = pdf.indexOf('stream\n'); at !== -1; at = pdf.indexOf('stream\n', at + 1)) {
    const end = pdf.indexOf('endstream', at)
    if (end === -1 || pdf.subarray(at - 3, at).toString() === 'end') continue
    try {
      found.push(inflateSync(pdf.subarray(at + 7, end)).toString('utf8'))
    } catch {
      // a stream that is not compressed
    }
  }
  return found
}
