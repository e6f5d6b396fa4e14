// Help texts of the command line.

export const HELP = `Tabir: matching of intimate images shared without consent, without keeping any.

  tabir COMMAND --help
                    what is said of one command here
  tabir --version   which version this is

  tabir keys create --org NAME --kind platform|ngo|operator --scopes match,match:distance,…
                    [--expires-days DAYS] [--networks 192.0.2.0/24,2001:db8::/32]
                    makes an API key and prints it once, as JSON
  tabir keys list   the keys that there are, without their secrets, and on which day each was last used
  tabir keys rotate KEYID [--overlap-hours HOURS]
                    makes a key in place of another, which goes on opening for 168 hours
  tabir keys revoke KEYID
                    takes a key back, everywhere within a second
  tabir keys restore KEYID
                    lifts the suspension of a key

  tabir keys seal list
                    the seal keys, which one seals, and how much is under each
  tabir keys seal rotate [--new ID]
                    makes a new seal key in the file of the ring, if one is named, and seals everything anew under the first one, while
                    the service runs. May be stopped, and goes on where it was when it is started again without --new
  tabir keys seal retire ID [--backups FOLDER]… [--yes]
                    takes a key out of the ring, if nothing in the store is sealed under it any more. Lists the backups and snapshots
                    that are, as far as they are known or lie in the folders, and asks; with --yes it does not ask

  tabir cases end NUMBER [--dry-run]
                    ends a case as its owner's withdrawal does, everywhere within a second: for one that nobody can reach any more.
                    --dry-run: shows which case that is, and changes nothing

  tabir canary plant --bank NAME
                    registers a hash that no picture has and nobody is given: whoever matches it is told of as an event

  tabir index status [--url URL] [--key-file FILE] [--json]
                    what the index of a running api consists of; where anybody may reach it, for a key with admin

  tabir trust disputes | quarantine | strikes
                    what waits for you: open disputes, signals that are held or narrowed, accounts whose reports were judged false
  tabir trust show | verify | hold | release SIGNAL
  tabir trust dispute SIGNAL REASON
  tabir trust decide SIGNAL upheld|rejected
  tabir trust take-back SIGNAL
  tabir trust forgive ACCOUNT
                    what is said and decided about a signal, everywhere within a second

  tabir webhooks list
                    whom organisations have told what: of each address its origin, and how it fares
  tabir webhooks remove WEBHOOK
                    ends one, with all that waits for it

  tabir audit list [--after NUMBER] [--limit LINES]
                    what was done, by whom, one line of JSON each
  tabir audit verify [--head HEAD]
                    is the audit log whole and unchanged? HEAD is one that was noted before, from here or from the log of an
                    api: then it also shows whether the log was set back. Ends with 0 if so, with 1 if not
  tabir audit trim --older-than DAYS
                    removes old entries, at least 90 days old; what stays verifies from a marked cut

  tabir import FILE --bank BANK [--url URL] [--key-file FILE]
                    hands a file of hashes in to a running api: hex lines, \`pdq <hex>\` lines, CSV or NDJSON, packed with gzip or
                    not. Prints the report. May be stopped and run again. Ends with 3 when lines were refused

  tabir export --bank BANK (--plain | --seal-to RECIPIENT) [--format ndjson|csv|lines|hex] [--since FILE] [--out FILE]
                    a bank of yours as a file: sealed for an age recipient, or plain. With an earlier export as FILE, what is new
                    since then and what is gone

  tabir exchange list | pull NAME
                    other systems' feeds that the file of TABIR_EXCHANGES_FILE names: how far they have come; read one to its end now

  tabir doctor [--json]
                    is this installation as it should be? Versions, Redis, keys, disk, clock, decoders. Ends with 0 when nothing
                    is bad

  tabir backup FILE
                    all that Redis holds at this moment, sealed, while the service runs; read again to see that it is whole
  tabir backup verify FILE
  tabir restore FILE [--withdrawals FOLDER]… [--accept-gap]
                    puts it into a data folder without data, and takes back what was taken back since, as the folders of the
                    apis know it (TABIR_WITHDRAWALS_DIR). The service must not run. Ends with 3, and puts nothing in place, when
                    something that was withdrawn may be missing there, unless that is accepted

  tabir receipts verify FILE [--key FILE] [--url URL]
                    was this receipt or report signed by this service, and is it unchanged? Ends with 0 if so, with 1 if not, and
                    with 2 when that cannot be found out. The key: a file with the answer of /v1/receipts/key, or of a
                    running api

The commands for keys, cases, trust, webhooks, audit and backup work on the data of TABIR_DATA_DIR or the Redis of REDIS_URL, whether the service runs or not.
They make no store where there is none: npm start does. Import, export and exchange speak to an api with the key in TABIR_API_KEY or the file.
Each command says on standard error which store or api that is.
`

/** Never treated as a file, key or bank name: a command that is asked for help does nothing else. */
export function asksForHelp(word: string): boolean {
  return word === '--help' || word === '-h'
}

/** @returns the help of a command, or of its verb if that has its own; all help if the command does not exist. */
export function helpFor([command, verb]: readonly string[]): string {
  const about = (beginning: string) => ENTRIES.filter((entry) => `${entry} `.startsWith(`  tabir ${beginning} `))
  const ofVerb = verb === undefined ? [] : about(`${command} ${verb}`)
  const found = ofVerb.length > 0 ? ofVerb : about(command ?? '')
  return found.length > 0 ? `${found.join('\n')}\n` : HELP
}

/** Entries of the help: each begins at its `tabir …` line. */
const ENTRIES = HELP.split(/\n+(?= {2}tabir |\S)/)
