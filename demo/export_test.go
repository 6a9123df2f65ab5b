package demo

// RemovalOf is removalOf, for its test.
var RemovalOf = removalOf
