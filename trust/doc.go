// Package trust is the vocabulary every other room speaks: who, what, when,
// why, and how something went wrong. It decides nothing and knows no machine:
// no clock, no randomness, no file, no network. It may be imported by all and
// imports nobody.
package trust
