import t from 'tap'
import {
  deadlinesFrom,
  LAWS,
  missingIn,
  SLA_PROFILES,
  STAGES,
  STATEMENTS,
  STOPPED_BY,
  stoppedBy,
} from '../../src/domain/cases/sla.js'
import { VERDICTS } from '../../src/domain/trust/verdict.js'

const HOUR_MS = 3_600_000
const complete = { statements: STATEMENTS, actingAs: 'self', contactOrgId: 'an ngo' } as const

t.test('deadlines are due when the law says', async (t) => {
  const hours = (law: (typeof LAWS)[number]) =>
    deadlinesFrom([law], 1000).map(({ stage, dueAtMs }) => [stage, (dueAtMs - 1000) / HOUR_MS])
  t.same(hours('us-tida'), [['remove', 48]])
  t.same(hours('uk-osa'), [['remove', 48]])
  t.same(hours('my-onsa'), [
    ['acknowledge', 1],
    ['assess', 12],
  ])
  t.same(deadlinesFrom([], 0), [])
  t.same(
    LAWS.filter((law) => !SLA_PROFILES[law].fixedByLaw),
    ['eu-dsa'],
    'its numbers are our own yardstick',
  )
})

t.test('each law names its sources, and the row of the United Kingdom has its requirements', async (t) => {
  for (const law of LAWS) {
    const { sources } = SLA_PROFILES[law]
    t.ok(sources.length > 0, law)
    for (const { title, url } of sources) t.ok(title.length > 10 && new URL(url).protocol === 'https:', url)
  }
  t.match(SLA_PROFILES['uk-osa'], { needsContact: true, statements: STATEMENTS })
})

t.test('a notice is complete when it has what each of its laws requires', async (t) => {
  for (const law of LAWS) {
    t.same(missingIn({ ...complete, laws: [law] }), [], law)
    const { statements, needsContact } = SLA_PROFILES[law]
    t.same(
      missingIn({ laws: [law], statements: [], actingAs: 'self', contactOrgId: undefined }),
      [...statements, ...(needsContact ? ['contact'] : [])],
      `${law}, empty`,
    )
  }
  t.same(missingIn({ ...complete, laws: LAWS, contactOrgId: undefined }), ['contact'])
})

t.test('a pending review stops only the first deadline, a program all but the assessment, and a decision all', async (t) => {
  const every = LAWS.flatMap((law) => SLA_PROFILES[law].stages.map(({ stage }) => ({ law, stage })))
  for (const verdict of VERDICTS) {
    const isMet: Partial<Record<(typeof VERDICTS)[number], readonly string[]>> = {
      'pending-review': ['acknowledge'],
      'auto-blocked': ['acknowledge', 'remove'],
    }
    const expected = every.filter(({ stage }) => (isMet[verdict] ?? STAGES).includes(stage))
    t.same(stoppedBy(verdict), expected, verdict)
  }
  t.ok(
    STAGES.every((stage) => STOPPED_BY[stage].includes('blocked')),
    'each stage can be stopped',
  )
})
