// Runs the client behind a proxy that causes one fault, once (test/line).
//
//   npm run fuzz client -- [--seconds 60 | --cases 100] [--seed 1] [--all] [--case NAME] [--list]
//
// Each operation × each fault, compared with the operation on a good connection. The status is 1 when a resolved or rejected call differs from what is
// stored, or when repeating it would do something twice.

import '../dist/test/line/client.js'
