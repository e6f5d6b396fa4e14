import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { CASE_STATES } from '../../src/domain/cases/case.js'
import { CASE_EVENT_KINDS, CASE_EVENTS } from '../../src/domain/cases/case-event.js'
import { REPORT_WORDS } from '../../src/domain/cases/report-words.js'
import { UNREAD_KINDS } from '../../src/domain/media/media-formats.js'
import { RECOGNITIONS } from '../../src/domain/trust/recognition.js'

const root = resolve(import.meta.dirname, '../../..')
const folder = join(root, 'page/messages')
const languages = readdirSync(folder).map((file) => file.replace('.json', ''))

function messagesOf(language: string): Record<string, string> {
  return JSON.parse(readFileSync(join(folder, `${language}.json`), 'utf8'))
}

const english = messagesOf('en')

/** Promises that cannot be kept, in the words of each language. */
const BANNED: Readonly<Record<string, RegExp>> = {
  en: /irreversib|impossib|guarantee|100 ?%|completely safe|never be found|anonymous/i,
  ms: /mustahil|dijamin|terjamin|jaminan|tidak boleh balik|100 ?%|selamat sepenuhnya/i,
  'zh-Hans': /不可逆|不可能|保证|绝对|百分之百|100 ?%|万无一失/,
  ta: /சாத்தியமற்ற|சாத்தியமில்லை|முடியாதது|உத்தரவாத|உறுதியளி|100 ?%|முற்றிலும் பாதுகாப்பான/,
}

/** Words that misled test readers: too vague, of another meaning, or not in use there. */
const MISLEADING: Readonly<Record<string, RegExp>> = {
  en: /passed on|passed around|\bgo on\b|\bgoes on\b|copy was met|meets a copy|made by a computer|\bsigns\b|good day to|make it longer|let it stand/i,
  ms: /tangkap layar|tanyalah|berbual|dibuat oleh komputer/i,
  'zh-Hans': /质疑[^，。]*不该|网络安全/,
  ta: /கணினியால் உருவாக்கப்பட்டது/,
}

/** To show such pictures to the police can be used against the person: a lawyer or a helpline is asked before. */
const POLICE: Readonly<Record<string, { readonly police: RegExp; readonly adviser: RegExp }>> = {
  en: { police: /police/i, adviser: /lawyer.*(helpline|line)|(helpline|line).*lawyer/i },
  ms: { police: /polis/i, adviser: /peguam.*talian/i },
  'zh-Hans': { police: /警/, adviser: /律师.*热线/ },
  ta: { police: /காவல்துறை|போலீஸ்/, adviser: /வழக்கறிஞ.*உதவி எண்/ },
}

t.test('the messages exist in English, Malay, Chinese and Tamil', async (t) => {
  t.same([...languages].sort(), ['en', 'ms', 'ta', 'zh-Hans'])
})

for (const language of languages) {
  const messages = messagesOf(language)

  t.test(`${language} has exactly the messages of English`, async (t) => {
    t.same(Object.keys(messages), Object.keys(english))
    for (const [key, message] of Object.entries(messages)) t.match(message, /\S/, key)
  })

  t.test(`${language} uses the same values in each message`, async (t) => {
    for (const [key, message] of Object.entries(messages)) t.same(valuesIn(message), valuesIn(english[key] ?? ''), key)
  })

  t.test(`${language} has no word that misled readers`, async (t) => {
    const misleading = MISLEADING[language]
    t.ok(misleading)
    for (const [key, message] of Object.entries(messages)) if (misleading !== undefined) t.notMatch(message, misleading, key)
  })

  t.test(`${language} sends nobody to the police who was not told to ask a lawyer or a helpline`, async (t) => {
    const words = POLICE[language]
    const naming = Object.entries(messages).filter(([, message]) => words?.police.test(message))
    t.ok(
      naming.some(([key]) => key === 'result.next2'),
      'the words are found',
    )
    for (const [key, message] of naming) t.match(message, words?.adviser ?? /^$/, key)
    const isReport = (each: string): each is keyof typeof REPORT_WORDS => Object.hasOwn(REPORT_WORDS, each)
    if (isReport(language)) t.notMatch(JSON.stringify(REPORT_WORDS[language]), words?.police ?? /^/, 'the report')
  })

  t.test(`${language} makes no promise that cannot be kept`, async (t) => {
    const banned = BANNED[language]
    t.ok(banned, 'a language comes with its list of words')
    for (const [key, message] of Object.entries(messages)) if (banned !== undefined) t.notMatch(message, banned, key)
  })
}

t.test('no message of another language is left in English', async (t) => {
  for (const language of languages.filter((other) => other !== 'en')) {
    const messages = messagesOf(language)
    const same = Object.keys(english).filter((key) => messages[key] === english[key])
    t.same(
      same.filter(
        (key) => !['language.direction', 'result.pin', 'case.pin', 'page.leaveHint', 'run.videos.one'].includes(key),
      ),
      [],
      language,
    )
  }
})

t.test('every message that the script uses exists, and no other is sent', async (t) => {
  const sources = readdirSync(join(root, 'page'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  const text = sources.map((file) => readFileSync(join(root, 'page', file), 'utf8')).join('\n')
  const said = [...text.matchAll(/\bsay\(\s*'([^']+)'/g)].map(([, key]) => key ?? '')
  const counted = [...text.matchAll(/\bsayCount\(\s*'([^']+)'/g)].flatMap(([, key]) => inForms(key ?? ''))
  const mixed = [...text.matchAll(/\bsayFiles\(\s*'([^']+)'/g)].flatMap(([, key]) => inMixedForms(key ?? ''))
  const chosen = [...text.matchAll(/'(run\.quality\.\w+)'/g)].map(([, key]) => key ?? '')
  const reasons = /REASONS = \[([\s\S]*?)\]/.exec(text)?.[1]?.match(/[\w-]+/g) ?? []
  const answers = /ANSWERS = \[([^\]]*)\]/.exec(text)?.[1]?.match(/[\w-]+/g) ?? []
  const stands = /PROTECTION_STATES = \[([^\]]*)\]/.exec(text)?.[1]?.match(/\w+/g) ?? []
  const listed = [
    ...reasons.map((why) => `run.why.${why}`),
    ...['waiting', 'reading', 'stopped', 'upload', 'agreed'].map((at) => `run.state.${at}`),
    ...['offline', 'away', 'fault'].map((kind) => `run.net.${kind}`),
    ...CASE_STATES.map((state) => `run.caseState.${state}`),
    ...CASE_EVENT_KINDS.flatMap((kind) =>
      ['images', 'attempts'].includes(CASE_EVENTS[kind]) ? inForms(`run.event.${kind}`) : [`run.event.${kind}`],
    ),
    ...answers.flatMap((each) => [`run.say.${each}`, `run.said.${each}`]),
    ...['copied', 'notCopied'].map((how) => `run.${how}`),
    ...UNREAD_KINDS.map((kind) => `run.what.${kind}`),
    ...['animated', 'memory'].map((because) => `run.upload.${because}`),
    ...stands.filter((stand) => stand !== 'silent' && stand !== 'limited').map((stand) => `run.stands.${stand}`),
    ...RECOGNITIONS.filter((each) => each !== 'full').map((each) => `run.recognition.${each}`),
    ...['open', 'denied'].map((state) => `run.appealed.${state}`),
    ...stands.flatMap((stand) => (stand === 'video' ? [`run.sum.${stand}.mixed`] : inMixedForms(`run.sum.${stand}`))),
  ]
  t.ok(said.length > 20 && reasons.length > 5, 'the search finds them')
  const used = new Set([...said, ...counted, ...mixed, ...chosen, ...listed])
  for (const key of used) t.ok(english[key], key)
  t.same(
    Object.keys(english).filter((key) => key.startsWith('run.') && !used.has(key)),
    [],
    'no unused message is sent',
  )
})

function inForms(key: string): string[] {
  return [`${key}.one`, `${key}.other`]
}

/** The forms of a message that counts pictures and videos. */
function inMixedForms(key: string): string[] {
  return [...inForms(key), `${key}.mixed`]
}

function valuesIn(message: string): string[] {
  return (message.match(/\{\w+\}/g) ?? []).sort()
}
