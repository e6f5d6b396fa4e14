// Help texts of the command line.

export const HELP = `Tabir: match intimate images shared without consent, without storing any.

  tabir COMMAND --help
                    Show the help of one command.
  tabir --version   Show the version.

  tabir keys create --org NAME --kind platform|ngo|operator --scopes match,match:distance,…
                    [--expires-days DAYS] [--networks 192.0.2.0/24,2001:db8::/32]
                    Create an API key. It is printed once, as JSON.
  tabir keys list   List the keys, without their secrets, and the day each was last used.
  tabir keys rotate KEYID [--overlap-hours HOURS]
                    Replace a key. The old one stays valid for 168 hours, or for HOURS.
  tabir keys revoke KEYID
                    Revoke a key, everywhere within one second.
  tabir keys suspend KEYID
                    Suspend a key until it is restored. Its organisation is told.
  tabir keys restore KEYID
                    Lift the suspension of a key.

  tabir keys seal list
                    List the seal keys, which one is active, and how many records each has sealed.
  tabir keys seal rotate [--new ID]
                    Re-encrypt everything under the first key of the ring, while the service runs. With --new, first create a key
                    in the key file. If interrupted, run it again without --new: it continues.
  tabir keys seal retire ID [--backups FOLDER]… [--yes]
                    Remove a key from the ring, if nothing in the store is sealed under it. Lists backups and snapshots that are,
                    as far as they are recorded or found in the folders, and asks. With --yes it does not ask.

  tabir cases end NUMBER [--dry-run]
                    Withdraw a case for a person who lost access to it. Takes effect everywhere within one second.
                    --dry-run: show the case and change nothing.

  tabir canary plant --bank NAME
                    Register a random hash that belongs to no picture. A match with it raises an event: the list was passed on.

  tabir index status [--url URL] [--key-file FILE] [--json]
                    Show the index of a running api. With public exposure this needs a key with the scope admin.

  tabir trust disputes | quarantine | strikes
                    List what needs a decision: open disputes, held or narrowed signals, accounts with false reports.
  tabir trust show | verify | hold | release SIGNAL
  tabir trust dispute SIGNAL REASON
  tabir trust decide SIGNAL upheld|rejected
  tabir trust take-back SIGNAL
  tabir trust forgive ACCOUNT
                    Show or decide about a signal or account. Decisions take effect everywhere within one second.
                    take-back: reinstate an invalidated signal.

  tabir webhooks list
                    List webhooks: organisation, origin of the URL, events, failures.
  tabir webhooks remove WEBHOOK
                    Remove a webhook and its waiting deliveries.

  tabir audit list [--after NUMBER] [--limit LINES]
                    List what was done and by whom, one JSON object per line.
  tabir audit verify [--head HEAD]
                    Check that the audit log is complete and unchanged. HEAD: one that you noted before, from here or from an api's
                    log; it also shows whether the log was set back. Exit status 0 if sound, 1 if not.
  tabir audit trim --older-than DAYS
                    Remove entries older than DAYS, at least 90. The rest can still be verified, from a marked cut.

  tabir import FILE --bank BANK [--url URL] [--key-file FILE]
                    Import a file of hashes through a running api: hex lines, \`pdq <hex>\` lines, CSV or NDJSON, plain or gzip.
                    Prints the report. Can be interrupted and run again. Exit status 3 if lines were refused.

  tabir export --bank BANK (--plain | --seal-to RECIPIENT) [--format ndjson|csv|lines|hex] [--since FILE] [--out FILE]
                    Export a bank of yours, sealed for an age recipient or plain. --since: write only what was added and removed
                    since an earlier export.

  tabir exchange list | pull NAME
                    List the exchanges of TABIR_EXCHANGES_FILE and their progress, or pull one to its end now.

  tabir doctor [--json]
                    Check this installation: versions, Redis, keys, disk, clock, decoders. Exit status 0 if nothing is bad.

  tabir backup FILE
                    Write everything in Redis to a sealed file, while the service runs. Then read it back to check it.
  tabir backup verify FILE
                    Check a backup.
  tabir restore FILE [--withdrawals FOLDER]… [--accept-gap]
                    Restore a backup into a data folder without data, then repeat later withdrawals from the folders of the apis
                    (TABIR_WITHDRAWALS_DIR). Stop the service first. If withdrawals may be missing there, it restores nothing and
                    ends with exit status 3, unless you accept that with --accept-gap.

  tabir receipts verify FILE [--key FILE] [--url URL]
                    Check the signature of a receipt or report. --key: a file with the answer of /v1/receipts/key; otherwise a
                    running api is asked. Exit status 0 if valid, 1 if not, 2 if it cannot be checked.

The commands for keys, cases, canaries, trust, webhooks, audit and backup work on the data of TABIR_DATA_DIR or the Redis of REDIS_URL, whether the
service runs or not. They never create a store; npm start does. Import, export and exchange need a running api and a key, in TABIR_API_KEY or a file.
Each command prints on standard error which store or api it uses.
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
