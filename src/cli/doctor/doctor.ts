// tabir doctor [--json]

import { readConfig } from '../../boot/config.js'
import { messageOf } from '../../domain/message-of.js'
import { checkFormat } from '../../store/redis/format.js'
import { keyringOf } from '../../store/sealing/seal-keys.js'
import { checkRing } from '../../store/sealing/seal-ring.js'
import { hasSecrets, loadSecrets } from '../../store/sealing/secrets.js'
import { printJson } from '../output.js'
import { withStore } from '../store-of-command.js'
import { apiFacts, certificateFacts } from './doctor-api.js'
import { fileFacts, hostFacts, redisFacts } from './doctor-facts.js'
import {
  aboutApi,
  aboutCertificates,
  aboutFiles,
  aboutHost,
  aboutProxies,
  aboutRedis,
  bad,
  type Finding,
  good,
  look,
} from './doctor-rules.js'

const SIGNS = { good: 'good ', look: 'look ', bad: 'BAD  ' } as const

/** Changes nothing. @returns the exit status: 0 if nothing is bad; 1 otherwise; 2 for wrong arguments */
export async function doctor(args: readonly string[]): Promise<number> {
  if (args.some((arg) => arg !== '--json') || args.length > 1) {
    process.stderr.write('tabir doctor [--json]\n')
    return 2
  }
  const findings = await examine()
  if (args.length === 1) printJson(findings)
  else process.stdout.write(findings.map(({ verdict, text }) => `${SIGNS[verdict]} ${text}\n`).join(''))
  return findings.some(({ verdict }) => verdict === 'bad') ? 1 : 0
}

async function examine(): Promise<Finding[]> {
  const findings: Finding[] = []
  try {
    const config = readConfig(process.env)
    findings.push(...aboutHost(await hostFacts(config)), ...aboutProxies(config), ...aboutApi(await apiFacts(config)))
    findings.push(...aboutCertificates(await certificateFacts(config), Date.now()))
    const files = await fileFacts(config)
    const { store: ofStore, logBytes } = await examineStore()
    findings.push(...aboutFiles(files, logBytes), ...ofStore)
  } catch (error) {
    findings.push(bad(messageOf(error)))
  }
  return findings
}

function examineStore() {
  return withStore(async ({ config, store }) => {
    const facts = await redisFacts(config, store)
    return { store: [...aboutRedis(facts), await sealing(config, store)], logBytes: facts.logBytes }
  })
}

/** Checks that the seal keys open the data. Changes nothing in a store without sealed records. */
async function sealing(config: Parameters<typeof keyringOf>[0], store: Parameters<typeof checkRing>[0]): Promise<Finding> {
  if (!(await hasSecrets(store)))
    return look('this Redis has no sealed records: it is a new deployment, or not the one you mean')
  try {
    await checkFormat(store)
    const keyring = keyringOf(config, false)
    await checkRing(store, keyring)
    await loadSecrets(store, keyring)
    return good('the seal keys open what is stored')
  } catch (error) {
    return bad(messageOf(error))
  }
}
