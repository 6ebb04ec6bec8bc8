import { testRaces } from './race_tests.ts'

// A client with a secret, and a public one; the long suite races 500 rounds.
testRaces(2)
