import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import t from 'tap'
import { CASE_STATES } from '../../src/domain/cases/case.js'
import { CASE_EVENT_KINDS, CASE_EVENTS } from '../../src/domain/cases/case-event.js'
import { LANGUAGE_TAGS, LANGUAGES } from '../../src/domain/languages.js'
import { UNREAD_KINDS } from '../../src/domain/media/media-formats.js'
import { RECOGNITIONS } from '../../src/domain/trust/recognition.js'
import { messagesOf, pattern, wordsOf } from '../helpers/languages.js'

const root = resolve(import.meta.dirname, '../../..')
const english = messagesOf('en')

t.test('each language of the list has its texts and its words, and no other has', async (t) => {
  for (const folder of ['page/messages', 'test/page/words']) {
    const files = readdirSync(join(root, folder)).map((file) => file.replace('.json', ''))
    t.same(files.sort(), [...LANGUAGE_TAGS].sort(), folder)
  }
})

for (const language of LANGUAGE_TAGS) {
  const messages = messagesOf(language)
  const words = wordsOf(language)
  const forms = pluralForms(language)

  t.test(`${language} has exactly the messages of English, and the plural forms that it needs`, async (t) => {
    t.same(
      Object.keys(messages).filter((key) => !isOwnForm(key)),
      Object.keys(english),
    )
    for (const key of Object.keys(english).filter(isCounted))
      for (const form of forms) t.ok(messages[key.replace(/other$/, form)], `${key}: ${form}`)
    for (const key of Object.keys(messages).filter(isOwnForm))
      t.ok(forms.includes(key.slice(key.lastIndexOf('.') + 1)), `${key} is a form of ${language}`)
    for (const [key, message] of Object.entries(messages)) t.match(message, /\S/, key)
  })

  t.test(`${language} uses the same values in each message`, async (t) => {
    for (const [key, message] of Object.entries(messages)) {
      const wanted = valuesIn(english[isOwnForm(key) ? otherForm(key) : key] ?? '')
      // Forms for one and two may say the number in the noun.
      const may = /\.(one|two)$/.test(key) ? wanted.filter((value) => value !== '{n}') : wanted
      const used = valuesIn(message)
      t.ok(
        [wanted, may].some((values) => values.join() === used.join()),
        `${key}: ${used} for ${wanted}`,
      )
    }
  })

  t.test(`${language} calls the same thing by the same word`, async (t) => {
    const terms = wordsOf('en').glossary
    t.same(Object.keys(words.glossary), Object.keys(terms))
    t.ok(Object.keys(terms).length >= 30)
    for (const [term, inEnglish] of Object.entries(terms)) {
      const keys = Object.keys(english).filter((key) => pattern(inEnglish).test(english[key] ?? ''))
      const used = keys.filter((key) => pattern(words.glossary[term] ?? '^$').test(messages[key] ?? ''))
      t.ok(used.length >= keys.length / 2 && used.length > 0, `${term}: in ${used.length} of ${keys.length}`)
    }
  })

  t.test(`${language} has no word that misled readers`, async (t) => {
    for (const [key, message] of Object.entries(messages)) t.notMatch(message, pattern(words.misleading), key)
  })

  // To show such pictures to the police can be used against the person.
  t.test(`${language} sends nobody to the police who was not told to ask a lawyer or a helpline`, async (t) => {
    const naming = Object.entries(messages).filter(([, message]) => pattern(words.police).test(message))
    t.ok(
      naming.some(([key]) => key === 'result.next2'),
      'the words are found',
    )
    for (const [key, message] of naming) t.match(message, pattern(words.adviser), key)
  })

  t.test(`${language} makes no promise that cannot be kept`, async (t) => {
    for (const [key, message] of Object.entries(messages)) t.notMatch(message, pattern(words.banned), key)
  })

  // Between words of the language, quotation marks and dots would change sides.
  t.test(`${language} keeps quoted English in its order`, async (t) => {
    if (LANGUAGES.find(({ tag }) => tag === language)?.direction !== 'rtl') return
    for (const [key, message] of Object.entries(messages)) t.notMatch(message, /[«”][A-Za-z]/, key)
  })

  t.test(`${language} leaves no message in English`, async (t) => {
    const same = Object.keys(english).filter((key) => messages[key] === english[key])
    if (language === 'en') return
    t.same(
      same.filter((key) => !words.sameAsEnglish.includes(key)),
      [],
    )
  })
}

/** The forms of the numbers that a person sees. `many` of French stands for millions. */
function pluralForms(language: string): string[] {
  const rules = new Intl.PluralRules(language)
  const used = Array.from({ length: 200 }, (_, n) => rules.select(n + 1))
  return [...new Set<string>(['one', 'other', ...used])]
}

/** A plural form that English does not have. */
function isOwnForm(key: string): boolean {
  return !Object.hasOwn(english, key) && isCounted(otherForm(key))
}

function isCounted(key: string): boolean {
  return key.endsWith('.other') && Object.hasOwn(english, key.replace(/other$/, 'one'))
}

function otherForm(key: string): string {
  return key.replace(/\.(zero|one|two|few|many)$/, '.other')
}

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
