// tabir doctor [--json]

import { type Config, readConfig } from '../../boot/config.js'
import { LANGUAGES } from '../../domain/languages.js'
import { messageOf } from '../../domain/message-of.js'
import { countAskingPlatforms } from '../../domain/organisations/access.js'
import { createApiKeyStore } from '../../store/organisations/api-keys.js'
import type { Store } from '../../store/redis/client.js'
import { checkFormat } from '../../store/redis/format.js'
import { keyringOf } from '../../store/sealing/seal-keys.js'
import { checkRing } from '../../store/sealing/seal-ring.js'
import { hasSecrets, loadSecrets } from '../../store/sealing/secrets.js'
import { printJson } from '../output.js'
import { withStore } from '../store-of-command.js'
import { apiFacts, certificateFacts } from './doctor-api.js'
import { fileFacts, hostFacts, redisFacts } from './doctor-facts.js'
import {
  checkApi,
  checkCertificates,
  checkFiles,
  checkHost,
  checkLanguages,
  checkPlatforms,
  checkProxies,
  checkRedis,
  type Finding,
  fail,
  ok,
  warn,
} from './doctor-rules.js'

const LABELS = { ok: 'ok   ', warn: 'warn ', fail: 'FAIL ' } as const

/** Only reads. @returns the exit status: 1 if a check fails, 2 for wrong arguments, otherwise 0. */
export async function doctor(args: readonly string[]): Promise<number> {
  if (args.some((arg) => arg !== '--json') || args.length > 1) {
    process.stderr.write('tabir doctor [--json]\n')
    return 2
  }
  const findings = await examine()
  if (args.length === 1) printJson(findings)
  else process.stdout.write(findings.map(({ level, text }) => `${LABELS[level]} ${text}\n`).join(''))
  return findings.some(({ level }) => level === 'fail') ? 1 : 0
}

async function examine(): Promise<Finding[]> {
  const findings: Finding[] = []
  try {
    const config = readConfig(process.env)
    findings.push(...checkLanguages(LANGUAGES))
    findings.push(...checkHost(await hostFacts(config)), ...checkProxies(config), ...checkApi(await apiFacts(config)))
    findings.push(...checkCertificates(await certificateFacts(config), Date.now()))
    const files = await fileFacts(config)
    const { store: ofStore, logBytes } = await examineStore()
    findings.push(...checkFiles(files, logBytes), ...ofStore)
  } catch (error) {
    findings.push(fail(messageOf(error)))
  }
  return findings
}

function examineStore() {
  return withStore(async ({ config, store }) => {
    const facts = await redisFacts(config, store)
    const apiKeys = createApiKeyStore(store)
    const platforms = countAskingPlatforms(await apiKeys.all(), await apiKeys.orgs(), Date.now())
    return {
      store: [...checkRedis(facts), ...checkPlatforms(config, platforms), await checkSealKeys(config, store)],
      logBytes: facts.logBytes,
    }
  })
}

/** Whether the seal keys can decrypt the stored data. Checked only if there are sealed records, because loading secrets would create them. */
async function checkSealKeys(config: Config, store: Store): Promise<Finding> {
  if (!(await hasSecrets(store)))
    return warn('this Redis has no sealed records: it is a new deployment, or not the one you mean')
  try {
    await checkFormat(store)
    const keyring = keyringOf(config, false)
    await checkRing(store, keyring)
    await loadSecrets(store, keyring)
    return ok('the seal keys open what is stored')
  } catch (error) {
    return fail(messageOf(error))
  }
}
