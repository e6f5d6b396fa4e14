// The client behind a proxy that does one thing wrong, once: test/line.
//
//   npm run fuzz:client -- [--seconds 60 | --cases 100] [--seed 1] [--all] [--case NAME] [--list]
//
// Each operation × each fault, against what the operation does on a good line. Status 1 when what was resolved or rejected is not what is
// stored, or when repeating it would do something twice.

import '../dist/test/line/client.js'
